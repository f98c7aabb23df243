// Runs a command and measures how long it takes until N web servers have answered HTTP 200 on port 80.
// Usage: answered FIRST-ADDRESS N COMMAND…     The addresses are FIRST, FIRST+1, …
// Prints: answered_ms (since just before the command was started) and returned_ms (until it ended; its exit status is ours).
//
// It asks once the command has ended, one server after the other: who asks earlier has requests lost to interfaces that are not
// up yet, and waits for them, or makes the kernel wait a second until it asks for an address again, which then is the measurement.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int answers(uint32_t address) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(address)};
  static const char request[] = "GET / HTTP/1.0\r\n\r\n";
  char reply[512];
  int ok = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct pollfd ready = {.fd = fd, .events = POLLOUT};
  // Without a route it fails at once.
  int refused = connect(fd, (void *)&to, sizeof to) != 0 && errno != EINPROGRESS;
  if (!refused && poll(&ready, 1, 20) == 1 && ready.revents == POLLOUT &&
      send(fd, request, sizeof request - 1, MSG_NOSIGNAL) == sizeof request - 1) {
    ready.events = POLLIN;
    if (poll(&ready, 1, 1000) == 1 && read(fd, reply, sizeof reply) > 12) ok = !memcmp(reply + 9, "200", 3);
  }
  close(fd);
  return ok;
}

int main(int argc, char **argv) {
  struct in_addr first;
  if (argc < 4 || !inet_aton(argv[1], &first)) {
    fprintf(stderr, "usage: answered FIRST-ADDRESS N COMMAND...\n");
    return 2;
  }
  int n = atoi(argv[2]), status = 0;
  double start = now();
  pid_t pid = fork();
  if (!pid) {
    // The command's words must not mix with the measurement.
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execvp(argv[3], argv + 3);
    perror(argv[3]);
    _exit(127);
  }
  waitpid(pid, &status, 0);
  double returned = now() - start;
  if (status) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  for (int k = 0; k < n;) {
    if (answers(ntohl(first.s_addr) + k)) {
      k++;
      continue;
    }
    usleep(500);
    if (now() - start > 60000) {
      fprintf(stderr, "answered: no answer from number %d after a minute\n", k);
      return 1;
    }
  }
  printf("answered_ms=%.1f returned_ms=%.1f\n", now() - start, returned);
  return 0;
}
