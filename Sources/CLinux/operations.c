#define _GNU_SOURCE
#include "CLinux.h"
#include "child.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <unistd.h>

// The child's state. Nothing here is touched by the parent.
struct child {
  int slots[STACK_SLOT_COUNT];
  int report;
};

// Everything below runs between clone3 and exec. libc's system call wrappers that only trap are used; those that do more
// (setuid and friends, which broadcast to threads that do not exist here) are called by number.

static int descriptor_of(const struct child *child, int number) {
  if (number > STACK_SLOT_BASE) return number;
  unsigned slot = (unsigned)(STACK_SLOT_BASE - number);
  return slot < STACK_SLOT_COUNT ? child->slots[slot] : -1;
}

static int keep(struct child *child, uint32_t slot, int descriptor) {
  if (descriptor < 0) return -1;
  if (slot >= STACK_SLOT_COUNT) {
    errno = EMFILE;
    return -1;
  }
  child->slots[slot] = descriptor;
  return 0;
}

static void send_report(int channel, uint32_t kind, int32_t subject, int32_t error, int descriptor) {
  struct stack_report message = {.kind = kind, .subject = subject, .error = error};
  struct iovec part = {.iov_base = &message, .iov_len = sizeof message};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct msghdr envelope = {.msg_iov = &part, .msg_iovlen = 1};
  if (descriptor >= 0) {
    envelope.msg_control = &control;
    envelope.msg_controllen = sizeof control;
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
  }
  while (sendmsg(channel, &envelope, MSG_NOSIGNAL) < 0 && errno == EINTR) continue;
}

static int resolve_in(int root, const char *path, uint64_t flags, uint64_t mode) {
  // Magic links (/proc/PID/fd, /proc/PID/root) lead out of any root, and no target has a reason to be behind one.
  return stack_openat2(root, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

// As many links as the kernel follows in a path (path_resolution(7)).
enum { MOST_LINKS = 40 };

/// The path has been written anew: a link in it led to nothing.
#define LED_ON (-2)

// Puts what a link says in its place: path[start, end) is its name, in the folder `parent`.
static int follow_link(int parent, char path[PATH_MAX], size_t start, size_t end) {
  char target[PATH_MAX], name[NAME_MAX + 1];
  if (end - start > NAME_MAX) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(name, path + start, end - start);
  name[end - start] = 0;
  ssize_t count = readlinkat(parent, name, target, sizeof target);
  if (count <= 0) {
    // Somebody else made it a moment ago, and it is no link.
    errno = EEXIST;
    return -1;
  }
  size_t kept = target[0] == '/' ? 0 : start, rest = strlen(path + end);
  if (kept + (size_t)count + rest >= PATH_MAX) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memmove(path + kept + count, path + end, rest + 1);
  memcpy(path + kept, target, (size_t)count);
  return LED_ON;
}

// Makes a file, and opens it by name alone: a mount with a file that is open for writing cannot be made read-only.
static int create_empty(int folder, const char *name) {
  int made = openat(folder, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0644);
  if (made < 0) return -1;
  close(made);
  return openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

// Makes what is missing of a path. mkdirat and O_CREAT do not know openat2's rules, so each is given a folder that openat2 has
// resolved, and a single name. Root folders of distributions have links to what is made at boot (/etc/resolv.conf).
static int make_target(int root, char path[PATH_MAX], int wants_file, unsigned mode) {
  size_t length = strlen(path), at = 0;
  int parent = resolve_in(root, "/", O_PATH | O_DIRECTORY, 0);
  while (parent >= 0) {
    while (path[at] == '/') at++;
    size_t start = at;
    while (at < length && path[at] != '/') at++;
    size_t end = at;
    while (path[at] == '/') at++;
    int last = at >= length;
    if (start == end) break;
    char behind = path[end];
    path[end] = 0;
    int next = resolve_in(root, path, O_PATH, 0);
    if (next < 0 && errno == ENOENT) {
      if (last && wants_file) {
        next = create_empty(parent, path + start);
      } else if (mkdirat(parent, path + start, mode) == 0) {
        next = resolve_in(root, path, O_PATH | O_DIRECTORY, 0);
      }
    }
    int is_link = next < 0 && errno == EEXIST;
    path[end] = behind;
    if (is_link) next = follow_link(parent, path, start, end);
    int error = errno;
    close(parent);
    errno = error;
    parent = next;
    if (last) break;
  }
  return parent;
}

// Opens path below root; what is missing of it is made, also where a link leads to it.
static int open_target(int root, const char *path, int wants_file, unsigned mode, uint64_t rules) {
  int found = stack_openat2(root, path, O_PATH, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | rules);
  if (found >= 0 || errno != ENOENT) return found;
  char way[PATH_MAX];
  if (strnlen(path, sizeof way) >= sizeof way) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(way, path);
  int left = rules & RESOLVE_NO_SYMLINKS ? 0 : MOST_LINKS;
  int made = make_target(root, way, wants_file, mode);
  while (made == LED_ON && left-- > 0) made = make_target(root, way, wants_file, mode);
  if (made != LED_ON) return made;
  errno = ELOOP;
  return -1;
}

static int open_tree_private(struct child *child, const struct stack_operation *o) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (unsigned)o->flags;
  const char *path = o->path;
  if (!*path) flags |= AT_EMPTY_PATH;
  int tree = stack_open_tree(descriptor_of(child, o->fd), path, flags);
  if (tree < 0) return -1;
  if (stack_mount_setattr(tree, "", AT_EMPTY_PATH | (unsigned)(o->flags & AT_RECURSIVE), o->number, o->clear, o->propagation) !=
      0)
    return -1;
  return keep(child, o->slot, tree);
}

static int map_mount(int tree, int namespace, unsigned flags, int is_optional) {
  if (stack_map_mount(tree, flags, namespace) == 0) return 0;
  if (!is_optional) return -1;
  // Something mounted below it may be what cannot be mapped.
  if (flags & AT_RECURSIVE && stack_map_mount(tree, 0, namespace) == 0) return 0;
  return errno == EINVAL || errno == EPERM ? 0 : -1;
}

static int hide(struct child *child, const struct stack_operation *o) {
  int target = resolve_in(descriptor_of(child, o->fd), o->path, O_PATH, 0);
  if (target < 0) return errno == ENOENT ? 0 : -1;
  struct stat status;
  if (fstat(target, &status) != 0) return -1;
  int tree = stack_open_tree(descriptor_of(child, o->fd2), S_ISDIR(status.st_mode) ? "empty" : "null", OPEN_TREE_CLONE);
  if (tree < 0) return -1;
  int answer = stack_move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  int error = errno;
  close(tree);
  close(target);
  errno = error;
  return answer;
}

static int make_read_only(struct child *child, const struct stack_operation *o) {
  int target = resolve_in(descriptor_of(child, o->fd), o->path, O_PATH, 0);
  if (target < 0) return errno == ENOENT ? 0 : -1;
  int tree = stack_open_tree(target, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | AT_RECURSIVE);
  if (tree < 0) return -1;
  uint64_t attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  if (stack_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, attributes, 0, 0) != 0) return -1;
  int answer = stack_move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  int error = errno;
  close(tree);
  close(target);
  errno = error;
  return answer;
}

static int enter_root(int root) {
  // The root goes on top of "/" of a namespace that holds nothing of the host, so there is nothing to pivot away from.
  if (stack_move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) != 0) return -1;
  return fchdir(root) == 0 ? chroot(".") : -1;
}

static int pivot(int root) {
  // pivot_root(2), "pivot_root(".", ".")": the former root ends up under the new one, and is let go from there.
  if (fchdir(root) != 0 || syscall(SYS_pivot_root, ".", ".") != 0) return -1;
  return umount2(".", MNT_DETACH) == 0 ? chdir("/") : -1;
}

static int write_file(const char *path, const char *text) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return -1;
  size_t length = strlen(text);
  ssize_t written = write(file, text, length);
  int error = errno;
  close(file);
  errno = written < 0 ? error : EIO;
  return written == (ssize_t)length ? 0 : -1;
}

static int open_terminal(struct child *child, const struct stack_operation *o) {
  // The container may have put anything at this path: only the multiplexer itself, reached without links, will do.
  int master = stack_openat2(descriptor_of(child, o->fd), o->path, O_RDWR | O_NOCTTY, 0,
                             RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
  if (master < 0) return -1;
  struct stat status;
  if (fstat(master, &status) != 0) return -1;
  if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(5, 2)) {
    errno = ENOTTY;
    return -1;
  }
  int locked = 0;
  if (ioctl(master, TIOCSPTLCK, &locked) != 0) return -1;
  struct winsize size = {.ws_row = (unsigned short)(o->number >> 16), .ws_col = (unsigned short)o->number};
  if (o->number != 0 && ioctl(master, TIOCSWINSZ, &size) != 0) return -1;
  int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (peer < 0 || keep(child, o->slot, master) != 0) return -1;
  return keep(child, o->slot2, peer);
}

static int arrange_descriptors(struct child *child, const int *wanted) {
  int high[STACK_FD_COUNT];
  // First out of the way of each other, then into place.
  for (int i = 0; i < STACK_FD_COUNT; i++) {
    int from = i == STACK_FD_REPORT ? child->report : descriptor_of(child, wanted[i]);
    high[i] = -1;
    if (from < 0) continue;
    high[i] = fcntl(from, F_DUPFD_CLOEXEC, STACK_FD_COUNT);
    if (high[i] < 0) return -1;
  }
  child->report = high[STACK_FD_REPORT];
  for (int i = 0; i < STACK_FD_COUNT; i++) {
    if (high[i] < 0) {
      close(i);
      continue;
    }
    int flags = i == STACK_FD_REPORT || i == STACK_FD_PROGRAM ? O_CLOEXEC : 0;
    if (dup3(high[i], i, flags) < 0) return -1;
    if (i == STACK_FD_REPORT) child->report = i;
  }
  for (int i = 0; i < STACK_SLOT_COUNT; i++) child->slots[i] = -1;
  return (int)syscall(SYS_close_range, STACK_FD_COUNT, ~0U, 0);
}

int stack_make_files_as(uint32_t id) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) != 0) return -1;
  // These calls do not fail, but answer what was before (setfsuid(2)).
  syscall(SYS_setfsgid, id);
  syscall(SYS_setfsuid, id);
  if (syscall(SYS_setfsuid, id) != (long)id) {
    errno = EPERM;
    return -1;
  }
  // With the user went the capabilities over files (capabilities(7)).
  return (int)syscall(SYS_capset, &header, data);
}

static int limit_bounding_set(uint64_t kept) {
  for (unsigned long number = 0; number < 64; number++) {
    if (kept >> number & 1) continue;
    if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0) continue;
    // The first that the kernel does not know.
    return errno == EINVAL ? 0 : -1;
  }
  return 0;
}

static int set_capabilities(uint64_t wanted, uint64_t ambient) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) != 0) return -1;
  uint64_t permitted = (data[0].permitted | (uint64_t)data[1].permitted << 32) & wanted;
  uint64_t inheritable = permitted & ambient;
  for (int half = 0; half < 2; half++) {
    data[half].permitted = data[half].effective = (uint32_t)(permitted >> 32 * half);
    data[half].inheritable = (uint32_t)(inheritable >> 32 * half);
  }
  if (syscall(SYS_capset, &header, data) != 0) return -1;
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return -1;
  for (unsigned long number = 0; inheritable >> number != 0; number++) {
    if (inheritable >> number & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) != 0) return -1;
    if (number == 63) break;
  }
  return 0;
}

static int change_folder(const char *path) {
  if (chdir(path) != 0) return -1;
  // CVE-2024-21626: a path can lead outside by way of a leaked descriptor. The kernel then prefixes "(unreachable)".
  char where[PATH_MAX];
  if (syscall(SYS_getcwd, where, sizeof where) < 0) return -1;
  if (where[0] == '/') return 0;
  errno = EXDEV;
  return -1;
}

static int make_path(const char *path, unsigned mode) {
  int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return -1;
  int made = open_target(root, path, 0, mode, 0);
  int error = errno;
  close(root);
  if (made >= 0) close(made);
  errno = error;
  return made < 0 ? -1 : 0;
}

// As execvp(3): what is not there, or not a program, gives way to the next; a permission refused is remembered.
static int execute(const struct stack_command *command) {
  int refused = 0;
  errno = ENOENT;
  for (char *const *candidate = command->candidates; *candidate; candidate++) {
    execve(*candidate, command->argv, command->envp);
    if (errno == EACCES) {
      refused = 1;
    } else if (errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG && errno != ELOOP) {
      return -1;
    }
  }
  if (refused) errno = EACCES;
  return -1;
}

static int run(struct child *child, const struct stack_operation *o) {
  int fd = descriptor_of(child, o->fd);
  switch (o->kind) {
    case STACK_OP_SETNS: return setns(fd, (int)o->flags);
    case STACK_OP_UNSHARE: return unshare((int)o->flags);
    case STACK_OP_OPEN: return keep(child, o->slot, openat(fd, o->path, (int)o->flags | O_CLOEXEC, (mode_t)o->number));
    case STACK_OP_OPEN_TREE: return open_tree_private(child, o);
    case STACK_OP_MAP_MOUNT:
      return map_mount(fd, descriptor_of(child, o->fd2), (unsigned)o->flags, o->number == 1);
    case STACK_OP_MOVE_MOUNT:
      return stack_move_mount(fd, "", descriptor_of(child, o->fd2), "",
                              MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
    case STACK_OP_ENTER_ROOT: return enter_root(fd);
    case STACK_OP_MOUNT: return fchdir(fd) == 0 ? mount(o->text, ".", o->text, o->flags, o->data) : -1;
    case STACK_OP_MOUNT_SETATTR:
      return stack_mount_setattr(fd, "", AT_EMPTY_PATH | (unsigned)o->flags, o->number, 0, o->propagation);
    case STACK_OP_PIVOT_ROOT: return pivot(fd);
    case STACK_OP_TARGET: return keep(child, o->slot, open_target(fd, o->path, (int)o->number, 0755, o->flags));
    case STACK_OP_MKDIR: return mkdirat(fd, o->path, (mode_t)o->number);
    case STACK_OP_MKNOD: return mknodat(fd, o->path, (mode_t)o->flags, (dev_t)o->number);
    case STACK_OP_SYMLINK: return symlinkat(o->text, fd, o->path);
    case STACK_OP_MASK: return hide(child, o);
    case STACK_OP_READ_ONLY: return make_read_only(child, o);
    case STACK_OP_HOSTNAME: return sethostname(o->text, strlen(o->text));
    case STACK_OP_DOMAINNAME: return setdomainname(o->text, strlen(o->text));
    case STACK_OP_WRITE: return write_file(o->path, o->text);
    case STACK_OP_TERMINAL: return open_terminal(child, o);
    case STACK_OP_CHOWN: return fchown(fd, (uid_t)o->number, (gid_t)-1);
    case STACK_OP_SEND:
      send_report(child->report, STACK_REPORT_DESCRIPTOR, (int32_t)o->number, 0, fd);
      return 0;
    case STACK_OP_DESCRIPTORS: return arrange_descriptors(child, o->data);
    case STACK_OP_SETSID: return setsid() < 0 ? -1 : 0;
    case STACK_OP_CONTROLLING_TERMINAL: return ioctl(0, TIOCSCTTY, 0);
    case STACK_OP_LIMIT: return setrlimit((__rlimit_resource_t)o->flags, o->data);
    case STACK_OP_UMASK:
      umask((mode_t)o->number);
      return 0;
    case STACK_OP_MAKE_FILES_AS: return stack_make_files_as((uint32_t)o->number);
    case STACK_OP_SETGROUPS: return (int)syscall(SYS_setgroups, o->number, o->data);
    case STACK_OP_SETGID: return (int)syscall(SYS_setresgid, o->number, o->number, o->number);
    case STACK_OP_SETUID: return (int)syscall(SYS_setresuid, o->number, o->number, o->number);
    case STACK_OP_PRCTL: return prctl((int)o->flags, o->number, 0, 0, 0);
    case STACK_OP_BOUNDING_SET: return limit_bounding_set(o->number);
    case STACK_OP_CAPABILITIES: return set_capabilities(o->number, o->flags);
    case STACK_OP_SECCOMP: {
      struct sock_fprog filter = {.len = (unsigned short)o->number, .filter = (struct sock_filter *)o->data};
      return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
    }
    case STACK_OP_MAKE_PATH: return make_path(o->path, 0755);
    case STACK_OP_CHDIR: return change_folder(o->path);
    case STACK_OP_EXEC: return execute(o->data);
    case STACK_OP_EXEC_DESCRIPTOR: {
      const struct stack_command *command = o->data;
      if (o->number == 1 && fcntl(child->report, F_SETFD, 0) != 0) return -1;
      return execveat(STACK_FD_PROGRAM, "", command->argv, command->envp, AT_EMPTY_PATH);
    }
    case STACK_OP_EXIT: _exit((int)o->number);
    default: errno = EINVAL; return -1;
  }
}

_Noreturn void stack_run_program(const struct stack_program *program, int report) {
  struct child child = {.report = report};
  for (int i = 0; i < STACK_SLOT_COUNT; i++) child.slots[i] = -1;

  // A handler of the parent's must never run here, and what the parent ignored must not be ignored for the service.
  struct sigaction standard = {.sa_handler = SIG_DFL};
  for (int number = 1; number < NSIG; number++) {
    if (number != SIGKILL && number != SIGSTOP) sigaction(number, &standard, NULL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);

  for (size_t i = 0; i < program->count; i++) {
    const struct stack_operation *operation = &program->operations[i];
    if (run(&child, operation) == 0) continue;
    int error = errno;
    uint32_t kind = operation->kind == STACK_OP_EXEC ? STACK_REPORT_EXEC_FAILED : STACK_REPORT_FAILED;
    send_report(child.report, kind, (int32_t)i, error, -1);
    // 126 and 127 as shells say it: found but not run, and not found.
    _exit(error == ENOENT ? 127 : 126);
  }
  _exit(0);
}
