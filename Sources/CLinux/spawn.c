#define _GNU_SOURCE
#include "CLinux.h"
#include "child.h"

#include <errno.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct shared_start {
  const struct stack_program *program;
  int report;
  /// Descriptors from this number on are none of the program's.
  unsigned foreign;
};

static void need(unsigned *foreign, int descriptor) {
  if (descriptor >= 0 && (unsigned)descriptor >= *foreign) *foreign = (unsigned)descriptor + 1;
}

static unsigned first_foreign(const struct stack_program *program, int report) {
  unsigned foreign = STACK_FD_COUNT;
  need(&foreign, report);
  for (size_t i = 0; i < program->count; i++) {
    const struct stack_operation *operation = &program->operations[i];
    need(&foreign, operation->fd);
    need(&foreign, operation->fd2);
    if (operation->kind != STACK_OP_DESCRIPTORS) continue;
    const int *table = operation->data;
    for (int number = 0; number < STACK_FD_COUNT; number++) need(&foreign, table[number]);
  }
  return foreign;
}

// Until here the descriptors are the caller's own table. A copy of the few that the program names costs nothing; a copy of
// all that the supervisor of hundreds of services has open, only to close them again, would cost as much as a namespace.
__attribute__((used)) static _Noreturn void run_shared(const struct shared_start *start) {
  if (syscall(SYS_close_range, start->foreign, ~0U, CLOSE_RANGE_UNSHARE) != 0 && unshare(CLONE_FILES) != 0) {
    struct stack_report message = {.kind = STACK_REPORT_FAILED, .subject = -1, .error = errno};
    (void)!send(start->report, &message, sizeof message, MSG_NOSIGNAL);
    _exit(1);
  }
  stack_run_program(start->program, start->report);
}

// clone3 with memory shared and a stack of the child's own. In assembly because the child comes back from the call on an
// empty stack, where no C function can return. The caller's frame, which holds that stack, stays as CLONE_VFORK has the
// caller asleep for as long as the child uses it.
static pid_t clone_sharing_memory(struct clone_args *arguments, const struct shared_start *start) {
#if defined(__x86_64__) || defined(__aarch64__)
  _Alignas(16) char stack[32768];
  arguments->flags |= CLONE_VM | CLONE_VFORK | CLONE_FILES;
  arguments->stack = (uint64_t)(uintptr_t)stack;
  arguments->stack_size = sizeof stack;
#if defined(__x86_64__)
  register long result __asm__("rax") = SYS_clone3;
  register struct clone_args *first __asm__("rdi") = arguments;
  register size_t second __asm__("rsi") = sizeof *arguments;
  register const struct shared_start *kept __asm__("r12") = start;
  register void (*function)(const struct shared_start *) __asm__("r13") = run_shared;
  __asm__ volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "mov %%r12, %%rdi\n\t"
      "call *%%r13\n\t"
      "hlt\n"
      "1:"
      : "+r"(result)
      : "r"(first), "r"(second), "r"(kept), "r"(function)
      : "rcx", "r11", "memory", "cc");
#else
  register long result __asm__("x0") = (long)arguments;
  register size_t second __asm__("x1") = sizeof *arguments;
  register long number __asm__("x8") = SYS_clone3;
  register const struct shared_start *kept __asm__("x19") = start;
  register void (*function)(const struct shared_start *) __asm__("x20") = run_shared;
  __asm__ volatile(
      "svc #0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, xzr\n\t"
      "mov x30, xzr\n\t"
      "mov x0, x19\n\t"
      "blr x20\n\t"
      "brk #0\n"
      "1:"
      : "+r"(result)
      : "r"(second), "r"(number), "r"(kept), "r"(function)
      : "memory", "cc");
#endif
  if (result >= 0) return (pid_t)result;
  errno = (int)-result;
  return -1;
#else
  pid_t pid = (pid_t)syscall(SYS_clone3, arguments, sizeof *arguments);
  if (pid == 0) run_shared(start);
  return pid;
#endif
}

// Joining a pid namespace takes effect for children only. Answers what leads back, or -1.
static int enter_pid_namespace(int namespace) {
  int own = stack_pidfd_open(getpid());
  if (own < 0 || setns(namespace, CLONE_NEWPID) == 0) return own;
  int error = errno;
  close(own);
  errno = error;
  return -1;
}

// A thread with a foreign namespace can no longer start threads, and one that cannot come back would make all its next
// children in a service's.
static void leave_pid_namespace(int own) {
  if (setns(own, CLONE_NEWPID) != 0) abort();
  close(own);
}

static pid_t clone_copying_memory(struct clone_args *arguments, const struct stack_program *program, int report) {
  int own = -1;
  if (program->pid_namespace_of >= 0 && (own = enter_pid_namespace(program->pid_namespace_of)) < 0) return -1;
  pid_t pid = (pid_t)syscall(SYS_clone3, arguments, sizeof *arguments);
  if (pid == 0) stack_run_program(program, report);
  int error = errno;
  if (own >= 0) leave_pid_namespace(own);
  errno = error;
  return pid;
}

static int makes_another(uint32_t kind) {
  switch (kind) {
    case STACK_OP_SETNS:
    case STACK_OP_UNSHARE:
    case STACK_OP_MAKE_FILES_AS:
    case STACK_OP_SETGROUPS:
    case STACK_OP_SETGID:
    case STACK_OP_SETUID:
    case STACK_OP_BOUNDING_SET:
    case STACK_OP_CAPABILITIES: return 1;
    default: return 0;
  }
}

// The conditions of enum stack_memory.
static int may_share_memory(const struct stack_program *program) {
  switch (program->memory) {
    case STACK_MEMORY_COPIED: return 1;
    case STACK_MEMORY_SHARED_UNSEEN: return (program->clone_flags & CLONE_NEWPID) != 0 && !stack_is_dumpable();
    case STACK_MEMORY_SHARED_ALIKE:
      if (program->clone_flags != 0) return 0;
      for (size_t i = 0; i < program->count; i++) {
        if (makes_another(program->operations[i].kind)) return 0;
      }
      return 1;
  }
  return 0;
}

int stack_spawn(const struct stack_program *program, struct stack_spawned *spawned) {
  if (!may_share_memory(program) || (program->memory != STACK_MEMORY_COPIED && program->pid_namespace_of >= 0)) {
    errno = EINVAL;
    return -1;
  }
  int ends[2];
  int pidfd = -1;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -1;

  struct clone_args arguments = {
      .flags = program->clone_flags | CLONE_PIDFD,
      .pidfd = (uint64_t)(uintptr_t)&pidfd,
      .exit_signal = SIGCHLD,
  };
  if (program->cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = (uint64_t)program->cgroup;
  }
  sigset_t all, former;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &former);

  pid_t pid;
  if (program->memory != STACK_MEMORY_COPIED) {
    struct shared_start start = {
        .program = program, .report = ends[1], .foreign = first_foreign(program, ends[1])};
    pid = clone_sharing_memory(&arguments, &start);
  } else {
    pid = clone_copying_memory(&arguments, program, ends[1]);
  }
  int error = errno;
  pthread_sigmask(SIG_SETMASK, &former, NULL);
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    errno = error;
    return -1;
  }
  *spawned = (struct stack_spawned){.pid = pid, .pidfd = pidfd, .report = ends[0]};
  return 0;
}

int stack_read_report(int report, int block, struct stack_report *message, int *descriptor) {
  struct iovec part = {.iov_base = message, .iov_len = sizeof *message};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  struct msghdr envelope = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  *descriptor = -1;
  ssize_t length;
  do {
    length = recvmsg(report, &envelope, MSG_CMSG_CLOEXEC | (block ? 0 : MSG_DONTWAIT));
  } while (length < 0 && errno == EINTR);
  if (length <= 0) return (int)length;
  struct cmsghdr *header = CMSG_FIRSTHDR(&envelope);
  if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
      header->cmsg_len == CMSG_LEN(sizeof(int)))
    memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
  if (length == sizeof *message) return 1;
  if (*descriptor >= 0) close(*descriptor);
  *descriptor = -1;
  errno = EPROTO;
  return -1;
}
