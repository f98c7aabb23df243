// The watcher of a supervisor: starts it, and starts it again when it was killed. stack-init does this under another
// name, since it is the one program of a few pages that is at hand, and since it reaps whatever is left to it.
//
//   stack-watch STACK INIT ENDS
//
// It is executed by file descriptor, with these open:
//   0-2  the supervisor's       3  where a failing exec is reported       4  the supervisor's listening socket
//   5    the file of `stack`    6  its own file
// INIT is passed on. Processes that the supervisor leaves when it is killed become the watcher's children. So their end
// is not lost: it is appended to ENDS.
#ifndef STACK_INIT_WATCH_H
#define STACK_INIT_WATCH_H

#define STACK_WATCH_NAME "stack-watch"
/// More of ENDS than that is forgotten.
#define STACK_ENDS_SIZE (1 << 16)

static int is_same(const char *one, const char *other) {
  while (*one && *one == *other) one++, other++;
  return *one == *other;
}

static void note_end(const char *path, int pid, int status) {
  struct timespec now = {0};
  CALL(SYS_clock_gettime, CLOCK_REALTIME, &now);
  struct stack_end entry = {
      .magic = STACK_END_MAGIC,
      .pid = pid,
      .status = status,
      .time = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec,
  };
  long file = CALL(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return;
  if (CALL(SYS_lseek, file, 0, SEEK_END) >= STACK_ENDS_SIZE) CALL(SYS_ftruncate, file, 0);
  CALL(SYS_write, file, &entry, sizeof entry);
  CALL(SYS_close, file);
}

static _Noreturn void run_supervisor(char **arguments, char **environment) {
  char *command[] = {"stack", "supervise", arguments[1], arguments[2], NULL};
  long error = -CALL(SYS_execveat, STACK_FD_TERMINAL, "", command, environment, AT_EMPTY_PATH);
  report((int)error);
  leave(127);
}

static void lower_own_oom_score(void) {
  // Where the kernel does not permit it, all stays as it is.
  long file = CALL(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC, 0);
  if (file < 0) return;
  CALL(SYS_write, file, "-900", 4);
  CALL(SYS_close, file);
}

static _Noreturn void watch(char **arguments, char **environment) {
  const int64_t shortest = 20000000, longest = 10000000000;
  int64_t pause = 0;
  CALL(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
  lower_own_oom_score();
  CALL(SYS_close, STACK_FD_PROGRAM);
  for (;;) {
    struct timespec began = {0}, ended = {0};
    CALL(SYS_clock_gettime, CLOCK_MONOTONIC, &began);
    long supervisor = CALL(SYS_clone, SIGCHLD);
    if (supervisor == 0) run_supervisor(arguments, environment);
    if (supervisor < 0) report((int)-supervisor);
    // Its end says that the supervisor was executed, or that what kept it from that has been told.
    CALL(SYS_close, STACK_FD_REPORT);
    int status = 0;
    while (supervisor > 0) {
      int code;
      long child = CALL(SYS_wait4, -1, &code, 0, NULL);
      if (child == supervisor) {
        status = code;
        break;
      }
      if (child > 0) note_end(arguments[3], (int)child, code);
    }
    // It has done what it was for, or cannot be: both are final, and it has said why.
    if (supervisor > 0 && WIFEXITED(status)) leave(WEXITSTATUS(status));
    CALL(SYS_clock_gettime, CLOCK_MONOTONIC, &ended);
    if (ended.tv_sec - began.tv_sec >= 10) pause = 0;
    struct timespec rest = {.tv_sec = pause / 1000000000, .tv_nsec = pause % 1000000000};
    while (pause && CALL(SYS_nanosleep, &rest, &rest) == -EINTR) continue;
    pause = pause ? pause * 2 : shortest;
    if (pause > longest) pause = longest;
  }
}

#endif
