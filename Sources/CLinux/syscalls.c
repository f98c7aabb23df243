#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <net/if.h>
#include <unistd.h>

int stack_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
  // While anything on the host is mounted or renamed, the kernel cannot vouch for a ".." and says so (openat2(2), EAGAIN).
  int descriptor = -1;
  for (int attempt = 0; attempt < 256; attempt++) {
    descriptor = (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
    if (descriptor >= 0 || errno != EAGAIN) break;
  }
  return descriptor;
}

int stack_open_tree(int directory, const char *path, unsigned flags) {
  return (int)syscall(SYS_open_tree, directory, path, flags | OPEN_TREE_CLOEXEC);
}

int stack_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags) {
  return (int)syscall(SYS_move_mount, from, from_path, to, to_path, flags);
}

int stack_map_mount(int tree, unsigned flags, int namespace) {
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)namespace};
  return (int)syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | flags, &attributes, sizeof attributes);
}

int stack_mount_setattr(int directory, const char *path, unsigned flags, uint64_t set, uint64_t clear,
                        uint64_t propagation) {
  struct mount_attr attributes = {.attr_set = set, .attr_clr = clear, .propagation = propagation};
  return (int)syscall(SYS_mount_setattr, directory, path, flags, &attributes, sizeof attributes);
}

int stack_is_mount_point(int directory, const char *path) {
  struct statx status;
  if (statx(directory, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &status) != 0) return -1;
  return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

int64_t stack_file_system_type(const char *path) {
  struct statfs status;
  return statfs(path, &status) == 0 ? (int64_t)status.f_type : -1;
}

int stack_is_read_only(const char *path) {
  struct statfs status;
  return statfs(path, &status) == 0 ? (status.f_flags & ST_RDONLY) != 0 : -1;
}

int stack_execute_again(int file, char *const *arguments) {
  return (int)syscall(SYS_execveat, file, "", arguments, environ, AT_EMPTY_PATH);
}

int stack_fsopen(const char *type) { return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC); }

int stack_fsconfig(int context, unsigned command, const char *key, const char *value, int auxiliary) {
  return (int)syscall(SYS_fsconfig, context, command, key, value, auxiliary);
}

int stack_fsmount(int context, unsigned attributes) {
  return (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
}

int stack_pipe(int *read_end, int *write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  // The two ends are open files of their own: the other one stays one that blocks.
  fcntl(ends[0], F_SETFL, O_RDONLY | O_NONBLOCK);
  *read_end = ends[0];
  *write_end = ends[1];
  return 0;
}

int stack_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int stack_flush_output(void) {
  int failed = ferror(stdout);
  errno = 0;
  if (fflush(stdout) != 0) return errno ? errno : EIO;
  return failed ? EIO : 0;
}

int stack_pidfd_send_value(int pidfd, int signal, int value) {
  siginfo_t info = {.si_signo = signal, .si_code = SI_QUEUE};
  info.si_pid = getpid();
  info.si_value.sival_int = value;
  return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, &info, 0);
}

int stack_pidfd_send_signal(int pidfd, int signal) {
  return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int stack_pidfd_getfd(int pidfd, int descriptor) { return (int)syscall(SYS_pidfd_getfd, pidfd, descriptor, 0); }

int stack_pidfd_wait(int pidfd, int block, int *status) {
  siginfo_t info = {0};
  int answer;
  do {
    answer = waitid((idtype_t)3 /* P_PIDFD */, (id_t)pidfd, &info, WEXITED | (block ? 0 : WNOHANG));
  } while (answer < 0 && errno == EINTR);
  if (answer < 0) return -1;
  if (info.si_pid == 0) return 0;
  *status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8
                                       : info.si_status | (info.si_code == CLD_DUMPED ? 0x80 : 0);
  return 1;
}

static int write_text(int folder, const char *path, const char *text) {
  int file = openat(folder, path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t length = (ssize_t)strlen(text);
  int answer = write(file, text, (size_t)length) == length ? 0 : -1;
  int error = errno;
  close(file);
  errno = error;
  return answer;
}

static int loopback_up(void) {
  int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (control < 0) return -1;
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  int answer = ioctl(control, SIOCSIFFLAGS, &request);
  int error = errno;
  close(control);
  errno = error;
  return answer;
}

// The settings of a router. The reverse path filter starts with the host's value, and would drop packets that return by
// another way.
static int forward_packets(int proc) {
  static const struct {
    const char *path, *value;
  } settings[] = {
      {"sys/net/ipv4/ip_forward", "1"},
      {"sys/net/ipv4/conf/all/rp_filter", "0"},
      {"sys/net/ipv4/conf/default/rp_filter", "0"},
      {"sys/net/ipv6/conf/all/forwarding", "1"},
      {"sys/net/ipv6/conf/default/forwarding", "1"},
  };
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
    if (write_text(proc, settings[i].path, settings[i].value) != 0 && errno != ENOENT) return -1;
  }
  return 0;
}

// These keep the kernel from sending or learning anything by itself: addresses and routes are given to every link.
static const char *const static_ipv6[][2] = {
    {"sys/net/ipv6/conf/default/accept_ra", "0"},           {"sys/net/ipv6/conf/default/autoconf", "0"},
    {"sys/net/ipv6/conf/default/router_solicitations", "0"}, {"sys/net/ipv6/conf/default/accept_dad", "0"},
    {"sys/net/ipv6/conf/default/addr_gen_mode", "1"},       {"sys/net/ipv6/conf/default/accept_redirects", "0"},
    // In how many milliseconds it is said once more which groups a link is in. A bridge passes that on to all other services.
    {"sys/net/ipv6/conf/default/mldv2_unsolicited_report_interval", "2000000000"},
};

int stack_netns_fill(int proc, unsigned options) {
  // Before the loopback comes up, so that ::1 never appears. A kernel without IPv6 has nothing to switch off.
  if (options & STACK_NETNS_DISABLE_IPV6) {
    if (write_text(proc, "sys/net/ipv6/conf/all/disable_ipv6", "1") != 0 && errno != ENOENT) return -1;
    if (write_text(proc, "sys/net/ipv6/conf/default/disable_ipv6", "1") != 0 && errno != ENOENT) return -1;
  }
  // Whoever sends it would be believed about a nearer router (RFC 1122, 3.2.2.2). For a host it is enough that one of the two allows it.
  if (write_text(proc, "sys/net/ipv4/conf/all/accept_redirects", "0") != 0 ||
      write_text(proc, "sys/net/ipv4/conf/default/accept_redirects", "0") != 0) {
    return -1;
  }
  if (options & STACK_NETNS_FORWARD) {
    if (forward_packets(proc) != 0) return -1;
  } else if (write_text(proc, "sys/net/ipv4/ip_forward", "0") != 0) {
    // A new namespace has IPv4's settings of the initial one (devinet_init_net in net/ipv4/devinet.c), which forwards for stacks.
    return -1;
  }
  if (options & STACK_NETNS_STATIC_IPV6) {
    for (size_t i = 0; i < sizeof static_ipv6 / sizeof *static_ipv6; i++) {
      if (write_text(proc, static_ipv6[i][0], static_ipv6[i][1]) != 0) return -1;
    }
  }
  if (options & STACK_NETNS_LOOPBACK && loopback_up() != 0) return -1;
  return openat(proc, "thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

int stack_netns_create(int proc, unsigned options) {
  int home = openat(proc, "thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (home < 0) return -1;
  int is_away = unshare(CLONE_NEWNET) == 0;
  int descriptor = is_away ? stack_netns_fill(proc, options) : -1;
  int error = errno;
  // A thread that cannot come back would do its next work in a stranger's network. One that may not make a namespace may not
  // enter one either, and needs no way back.
  if (is_away && setns(home, CLONE_NEWNET) != 0) abort();
  close(home);
  errno = error;
  return descriptor;
}

int stack_namespace_type(int descriptor) {
  int type = ioctl(descriptor, NS_GET_NSTYPE);
  if (type < 0 && errno == ENOTTY) errno = EINVAL;
  return type;
}

int stack_namespace_owner(int descriptor) {
  int owner = ioctl(descriptor, NS_GET_USERNS);
  if (owner < 0 && errno == ENOTTY) errno = EINVAL;
  return owner;
}

int stack_terminal_size(int terminal, unsigned short *rows, unsigned short *columns) {
  struct winsize size;
  if (ioctl(terminal, TIOCGWINSZ, &size) != 0) return -1;
  *rows = size.ws_row;
  *columns = size.ws_col;
  return 0;
}

int stack_set_terminal_size(int terminal, unsigned short rows, unsigned short columns) {
  struct winsize size = {.ws_row = rows, .ws_col = columns};
  return ioctl(terminal, TIOCSWINSZ, &size);
}

static void passed_on(sigset_t *set) {
  static const int signals[] = {SIGHUP,  SIGINT,  SIGQUIT,  SIGTERM, SIGUSR1, SIGUSR2,
                                SIGALRM, SIGPIPE, SIGWINCH, SIGCONT, SIGCHLD};
  sigemptyset(set);
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaddset(set, signals[i]);
}

size_t stack_signal_set_size(void) { return sizeof(sigset_t); }

void stack_block_signals(void *former) {
  sigset_t set;
  passed_on(&set);
  pthread_sigmask(SIG_BLOCK, &set, former);
}

void stack_restore_signals(const void *former) { pthread_sigmask(SIG_SETMASK, former, NULL); }

int stack_signal_descriptor(void) {
  sigset_t set;
  passed_on(&set);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int stack_next_signal(int descriptor) {
  struct signalfd_siginfo info;
  return read(descriptor, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

ssize_t stack_splice_to_file(int pipe, int file, off_t offset, size_t length) {
  return splice(pipe, NULL, file, &offset, length, SPLICE_F_NONBLOCK);
}

int stack_set_pipe_capacity(int pipe, int octets) { return fcntl(pipe, F_SETPIPE_SZ, octets); }

int stack_memfd_create(const char *name) { return (int)syscall(SYS_memfd_create, name, 1U /* MFD_CLOEXEC */); }

extern char __executable_start, etext;

int stack_reset_io_priority(void) {
  const int of_process = 1;
  return (int)syscall(SYS_ioprio_set, of_process, 0, 0);
}

void stack_release_code(void) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t start = ((uintptr_t)&__executable_start + page - 1) & ~(page - 1);
  uintptr_t end = (uintptr_t)&etext & ~(page - 1);
  if (end > start) madvise((void *)start, end - start, MADV_DONTNEED);
}

int stack_become_undumpable(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

int stack_is_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1; }

int stack_effective_capabilities(uint64_t *capabilities) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
  if (syscall(SYS_capget, &header, data) != 0) return -1;
  *capabilities = (uint64_t)data[1].effective << 32 | data[0].effective;
  return 0;
}
