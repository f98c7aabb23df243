#define _GNU_SOURCE
#include "CLinux.h"
#include "child.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct owned_start {
  int (*fill)(int proc, unsigned options);
  int proc;
  unsigned options;
  int descriptor;
  int error;
};

// Runs in the caller's memory and on its table of descriptors while the caller sleeps, as the first and only process of a
// new user namespace: no id is mapped there yet, and none is needed by one that has all its capabilities.
static int fill_owned(void *argument) {
  struct owned_start *start = argument;
  start->descriptor = start->fill(start->proc, start->options);
  start->error = errno;
  return 0;
}

static int write_map(pid_t pid, const char *name, uint32_t first, uint32_t count) {
  char path[64], line[64];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
  int length = snprintf(line, sizeof line, "0 %u %u\n", first, count);
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return -1;
  int answer = write(file, line, (size_t)length) == length ? 0 : -1;
  int error = errno;
  close(file);
  errno = error;
  return answer;
}

static int create(struct owned_start *start, int flags, uint32_t first, uint32_t count) {
  _Alignas(16) char stack[32768];
  // Whoever has the user that makes a user namespace has all capabilities over it (user_namespaces(7)), also without any of
  // its own: the child, and with it the memory that it shares, would be open to every process of the host's root.
  if (stack_become_undumpable() != 0) return -1;
  sigset_t all, former;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &former);
  pid_t pid = clone(fill_owned, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_NEWUSER | flags, start);
  int error = pid < 0 ? errno : start->error;
  pthread_sigmask(SIG_SETMASK, &former, NULL);
  if (pid < 0) {
    errno = error;
    return -1;
  }
  // The child has ended by now. Until it is reaped its number is its own, and leads to its user namespace, which what it
  // has opened holds: so nobody need wait for it to be mapped.
  if (start->descriptor >= 0 &&
      (write_map(pid, "uid_map", first, count) != 0 || write_map(pid, "gid_map", first, count) != 0)) {
    error = errno;
    close(start->descriptor);
    start->descriptor = -1;
  }
  while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR) continue;
  errno = error;
  return start->descriptor;
}

int stack_netns_create_owned(int proc, unsigned options, uint32_t first, uint32_t count) {
  struct owned_start start = {.fill = stack_netns_fill, .proc = proc, .options = options, .descriptor = -1};
  return create(&start, CLONE_NEWNET, first, count);
}

static int open_userns(int proc, unsigned options) {
  (void)options;
  return openat(proc, "/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
}

int stack_userns_create(uint32_t first, uint32_t count) {
  struct owned_start start = {.fill = open_userns, .proc = AT_FDCWD, .descriptor = -1};
  return create(&start, 0, first, count);
}
