// stack-init: process 1 of a service. It starts the command as its child, passes signals on to it, reaps whatever is
// left to it, and when the command has ended writes down how, then ends the same way itself.
//
//   stack-init ARGUMENT0 [ARGUMENT…]
//
// It is started with every privilege dropped already, by file descriptor, with these open:
//   0-2  the command's                        3  where a failing exec is reported; end of file means success
//   4    the exit record's file, or closed    5  the master of the command's terminal, or closed; held open only
// The numbers and records are those of CLinuxProgram.h; this program stands alone so that it stays small.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../CLinux/include/CLinuxProgram.h"

extern char **environ;

static void report(int error) {
  struct stack_report message = {.kind = STACK_REPORT_EXEC_FAILED, .subject = -1, .error = error};
  (void)!send(STACK_FD_REPORT, &message, sizeof message, MSG_NOSIGNAL);
}

// What execvp(3) does, less its fallback to a shell for files without an interpreter.
static int execute(char **argv) {
  if (!*argv[0]) {
    errno = ENOENT;
    return -1;
  }
  if (strchr(argv[0], '/')) return execve(argv[0], argv, environ);
  const char *path = NULL;
  for (char **entry = environ; *entry && !path; entry++) {
    if (!strncmp(*entry, "PATH=", 5)) path = *entry + 5;
  }
  if (!path) path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  size_t name = strlen(argv[0]);
  int refused = 0;
  errno = ENOENT;
  for (const char *end; ; path = end + 1) {
    end = strchrnul(path, ':');
    char full[PATH_MAX];
    size_t folder = (size_t)(end - path);
    if (folder + 1 + name < sizeof full) {
      memcpy(full, path, folder);
      full[folder] = '/';
      memcpy(full + folder + (folder > 0), argv[0], name + 1);
      execve(full, argv, environ);
      if (errno == EACCES) {
        refused = 1;
      } else if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP) {
        return -1;
      }
    }
    if (!*end) break;
  }
  errno = refused ? EACCES : ENOENT;
  return -1;
}

static _Noreturn void run_command(char **argv, const sigset_t *former, int terminal) {
  setsid();
  if (terminal) ioctl(0, TIOCSCTTY, 0);
  sigprocmask(SIG_SETMASK, former, NULL);
  execute(argv);
  int error = errno;
  report(error);
  _exit(error == ENOENT ? 127 : 126);
}

static void record(int status) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  struct stack_exit_record entry = {
      .magic = STACK_EXIT_RECORD_MAGIC,
      .status = status,
      .time = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec,
  };
  (void)!pwrite(STACK_FD_RECORD, &entry, sizeof entry, 0);
}

int main(int argc, char **argv) {
  if (argc < 2) return 127;
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  // Executed by descriptor, its name would be the descriptor's number on older kernels.
  prctl(PR_SET_NAME, "stack-init", 0, 0, 0);
  for (int number = STACK_FD_REPORT; number < STACK_FD_COUNT; number++) fcntl(number, F_SETFD, FD_CLOEXEC);
  int terminal = fcntl(STACK_FD_TERMINAL, F_GETFD) >= 0;

  // Held back before the child exists, so that none is lost. Signals of the processor's own making stay deadly.
  sigset_t all, former;
  sigfillset(&all);
  static const int own[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) sigdelset(&all, own[i]);
  sigprocmask(SIG_SETMASK, &all, &former);

  // The child borrows this memory until it has exec'd: there is no copy to be made. It calls nothing that would mind.
  pid_t command = vfork();
  if (command < 0) {
    report(errno);
    return 126;
  }
  if (command == 0) run_command(argv + 1, &former, terminal);
  close(STACK_FD_REPORT);
  // The output's readers must see its end when the command has closed it; a terminal and a FIFO opened for both
  // directions have no such end, and are the ones that have to stay.

  for (;;) {
    int number = sigwaitinfo(&all, NULL);
    if (number < 0) continue;
    if (number != SIGCHLD) {
      kill(command, number);
      continue;
    }
    int status;
    pid_t ended;
    while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
      if (ended != command) continue;
      record(status);
      _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    }
  }
}
