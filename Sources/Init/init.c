// stack-init: process 1 of a service. It starts the command as its child, passes signals on to it, reaps whatever is
// left to it, and when the command has ended writes down how, then ends the same way itself.
//
//   stack-init ARGUMENT0 [ARGUMENT…]
//   stack-init stack-pause
//
// The second form starts nothing and waits, for commands that are run beside it. SIGUSR1 with a value ends it with that
// exit code, and any other signal that ends processes does so, too.
//
// It is started with every privilege dropped already, by file descriptor, with these open:
//   0-2  the command's                        3  where a failing exec is reported; end of file means success
//   4    the exit record's file, or closed    5  the master of the command's terminal, or closed; held open only
// The numbers and records are those of CLinuxProgram.h; this program stands alone, without a C library,
// so that it stays small and starts at once.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <sys/wait.h>
#include <time.h>

#include "../CLinux/include/CLinuxProgram.h"
#include "system.h"

static _Noreturn void leave(int code) {
  for (;;) CALL(SYS_exit_group, code);
}

static void report(int error) {
  struct stack_report message = {.kind = STACK_REPORT_EXEC_FAILED, .subject = -1, .error = error};
  CALL(SYS_sendto, STACK_FD_REPORT, &message, sizeof message, MSG_NOSIGNAL);
}

static const char *search_path(char **environment) {
  for (; *environment; environment++) {
    const char *entry = *environment;
    if (entry[0] == 'P' && entry[1] == 'A' && entry[2] == 'T' && entry[3] == 'H' && entry[4] == '=') return entry + 5;
  }
  return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

// Like execvp(3) without its fallback to a shell for files without an interpreter. Returns the error.
static int execute(char **arguments, char **environment) {
  const char *name = arguments[0];
  size_t length = length_until(name, 0);
  if (!length) return ENOENT;
  if (name[length_until(name, '/')]) return (int)-CALL(SYS_execve, name, arguments, environment);
  int refused = 0;
  for (const char *path = search_path(environment);; path++) {
    char full[PATH_MAX];
    size_t folder = length_until(path, ':');
    if (folder + 1 + length < sizeof full) {
      memcpy(full, path, folder);
      full[folder] = '/';
      memcpy(full + folder + (folder > 0), name, length + 1);
      int error = (int)-CALL(SYS_execve, full, arguments, environment);
      if (error == EACCES) {
        refused = 1;
      } else if (error != ENOENT && error != ENOTDIR && error != ELOOP) {
        return error;
      }
    }
    path += folder;
    if (!*path) return refused ? EACCES : ENOENT;
  }
}

static _Noreturn void run_command(char **arguments, char **environment, const signal_set *former, int terminal) {
  CALL(SYS_setsid);
  if (terminal) CALL(SYS_ioctl, 0, TIOCSCTTY, 0);
  CALL(SYS_rt_sigprocmask, SIG_SETMASK, former, NULL, sizeof *former);
  int error = execute(arguments, environment);
  report(error);
  leave(error == ENOENT ? 127 : 126);
}

static void record(int status) {
  struct timespec now = {0};
  CALL(SYS_clock_gettime, CLOCK_REALTIME, &now);
  struct stack_exit_record entry = {
      .magic = STACK_EXIT_RECORD_MAGIC,
      .status = status,
      .time = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec,
  };
  CALL(SYS_pwrite64, STACK_FD_RECORD, &entry, sizeof entry, 0);
}

#include "watch.h"

#define STACK_PAUSE_NAME "stack-pause"

static _Noreturn void pause_until_ended(const signal_set *all) {
  CALL(SYS_close, STACK_FD_REPORT);
  for (;;) {
    siginfo_t info = {0};
    long number = CALL(SYS_rt_sigtimedwait, all, &info, NULL, sizeof *all);
    if (number == SIGUSR1 && info.si_code == SI_QUEUE) {
      int code = info.si_value.sival_int & 0xFF;
      record(code << 8);
      leave(code);
    }
    if (number == SIGTERM || number == SIGINT || number == SIGQUIT || number == SIGHUP) {
      record((int)number);
      leave(128 + (int)number);
    }
    while (CALL(SYS_wait4, -1, NULL, WNOHANG, NULL) > 0) {}
  }
}

// The stack as the kernel leaves it: the count of arguments, the arguments, NULL, the environment, NULL.
_Noreturn void start(long *stack) {
  long count = stack[0];
  char **arguments = (char **)(stack + 1);
  char **environment = arguments + count + 1;
  if (count < 2) leave(127);
  CALL(SYS_prctl, PR_SET_DUMPABLE, 0);
  for (int number = STACK_FD_REPORT; number < STACK_FD_COUNT; number++) {
    if (number != STACK_FD_RECORD) CALL(SYS_fcntl, number, F_SETFD, FD_CLOEXEC);
  }
  if (count == 4 && is_same(arguments[0], STACK_WATCH_NAME)) {
    CALL(SYS_prctl, PR_SET_NAME, STACK_WATCH_NAME);
    watch(arguments, environment);
  }
  // Executed by descriptor, its name would be the descriptor's number on older kernels.
  CALL(SYS_prctl, PR_SET_NAME, "stack-init");
  CALL(SYS_fcntl, STACK_FD_RECORD, F_SETFD, FD_CLOEXEC);
  int terminal = CALL(SYS_fcntl, STACK_FD_TERMINAL, F_GETFD) >= 0;

  // Held back before the child exists, so that none is lost. Signals of the processor's own making stay deadly.
  const signal_set all = ~(SIGNAL(SIGSEGV) | SIGNAL(SIGBUS) | SIGNAL(SIGILL) | SIGNAL(SIGFPE) | SIGNAL(SIGTRAP) |
                           SIGNAL(SIGABRT) | SIGNAL(SIGSYS));
  signal_set former = 0;
  CALL(SYS_rt_sigprocmask, SIG_SETMASK, &all, &former, sizeof all);

  if (is_same(arguments[1], STACK_PAUSE_NAME)) pause_until_ended(&all);

  // A copy, as fork(2) makes it, of the few pages that there are.
  long command = CALL(SYS_clone, SIGCHLD);
  if (command < 0) {
    report((int)-command);
    leave(126);
  }
  if (command == 0) run_command(arguments + 1, environment, &former, terminal);
  CALL(SYS_close, STACK_FD_REPORT);
  // The output's readers must see its end when the command has closed it; a terminal and a FIFO opened for both
  // directions have no such end, and are the ones that have to stay.

  for (;;) {
    long number = CALL(SYS_rt_sigtimedwait, &all, NULL, NULL, sizeof all);
    if (number < 0) continue;
    if (number != SIGCHLD) {
      CALL(SYS_kill, command, number);
      continue;
    }
    int status;
    long ended;
    while ((ended = CALL(SYS_wait4, -1, &status, WNOHANG, NULL)) > 0) {
      if (ended != command) continue;
      record(status);
      leave(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    }
  }
}
