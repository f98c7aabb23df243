// A process made in two halves. The parent prepares everything (strings, descriptors, lists) as a flat list of
// operations; the child runs the list after clone3 with nothing but system calls: no allocation, no stdio, no locks,
// because another thread of the parent may have held any of them at the moment of the clone.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// A descriptor the child opens itself is named by a slot. Wherever an operation takes a descriptor it takes a number
/// of the parent's, AT_FDCWD, or slot n as STACK_SLOT_BASE - n.
#define STACK_SLOT_BASE (-1000)
#define STACK_SLOT_COUNT 256
#define STACK_NO_DESCRIPTOR (-1)

/// The child's descriptors once STACK_OP_DESCRIPTORS has run: 0, 1, 2, then these, and nothing after them.
enum {
  STACK_FD_REPORT = 3,
  STACK_FD_RECORD = 4,
  STACK_FD_TERMINAL = 5,
  STACK_FD_PROGRAM = 6,
  STACK_FD_COUNT = 7,
};

enum stack_operation_kind {
  /// setns(fd, flags)
  STACK_OP_SETNS,
  /// unshare(flags)
  STACK_OP_UNSHARE,
  /// slot = openat(fd, path, flags | O_CLOEXEC, number)
  STACK_OP_OPEN,
  /// slot = open_tree(fd, path, flags), then the propagation and the attributes in `number` on all of it, without those in `clear`
  STACK_OP_OPEN_TREE,
  /// The mount in fd, in no mount namespace yet, gets the ids of the user namespace fd2. `flags`: AT_RECURSIVE. With
  /// `number` 1 what cannot be mapped stays as it is
  STACK_OP_MAP_MOUNT,
  /// move_mount(fd, fd2): what fd holds goes on top of fd2
  STACK_OP_MOVE_MOUNT,
  /// The mount in fd becomes the root and the working directory of the process
  STACK_OP_ENTER_ROOT,
  /// mount(text, on fd, text, flags, data)
  STACK_OP_MOUNT,
  /// mount_setattr(fd, flags, set: number, propagation)
  STACK_OP_MOUNT_SETATTR,
  /// pivot_root onto fd and let go of the former root
  STACK_OP_PIVOT_ROOT,
  /// slot = path below fd, resolved as if fd were the root, made when missing: folders, and at the end a folder
  /// (number 0) or an empty file (number 1). `flags` adds RESOLVE_… rules
  STACK_OP_TARGET,
  /// mkdirat(fd, path, number)
  STACK_OP_MKDIR,
  /// mknodat(fd, path, flags, number)
  STACK_OP_MKNOD,
  /// symlinkat(text, fd, path)
  STACK_OP_SYMLINK,
  /// Hide path below fd: fd2 holds a folder with an empty folder `empty` and a device `null`. Missing paths are passed
  STACK_OP_MASK,
  /// Make path below fd, and all under it, read-only. Missing paths are passed
  STACK_OP_READ_ONLY,
  /// sethostname(text)
  STACK_OP_HOSTNAME,
  /// setdomainname(text)
  STACK_OP_DOMAINNAME,
  /// write text to the file at path
  STACK_OP_WRITE,
  /// slot = a new terminal's master, slot2 = its other end; path below fd is the multiplexer of a devpts. `number` is
  /// its size: rows << 16 | columns, or 0
  STACK_OP_TERMINAL,
  /// fchown(fd, number, -1)
  STACK_OP_CHOWN,
  /// Hand fd to the parent, marked with `number`
  STACK_OP_SEND,
  /// Arrange descriptors: data is int[STACK_FD_COUNT], STACK_NO_DESCRIPTOR for none; the entry for the report is
  /// ignored. All others are closed, and every slot with them
  STACK_OP_DESCRIPTORS,
  /// setsid()
  STACK_OP_SETSID,
  /// Make descriptor 0 the controlling terminal
  STACK_OP_CONTROLLING_TERMINAL,
  /// setrlimit(flags, data: struct rlimit)
  STACK_OP_LIMIT,
  /// umask(number)
  STACK_OP_UMASK,
  /// Files are made as user and group `number` from here on, with all the rights over files that the process had
  STACK_OP_MAKE_FILES_AS,
  /// setgroups(number, data), setgid, setuid
  STACK_OP_SETGROUPS,
  STACK_OP_SETGID,
  STACK_OP_SETUID,
  /// prctl(flags, number, 0, 0, 0)
  STACK_OP_PRCTL,
  /// Take everything off the bounding set that is not in `number`
  STACK_OP_BOUNDING_SET,
  /// Permitted and effective become `number`, inheritable and ambient `flags`: as far as the process has them
  STACK_OP_CAPABILITIES,
  /// Install the seccomp filter in data: `number` times struct sock_filter
  STACK_OP_SECCOMP,
  /// Make path when missing, as far as the root of the process allows
  STACK_OP_MAKE_PATH,
  /// chdir(path), and refuse a folder outside the root
  STACK_OP_CHDIR,
  /// execve: data is struct stack_command. Tries each candidate as execvp(3) does
  STACK_OP_EXEC,
  /// execveat(STACK_FD_PROGRAM): data is struct stack_command. With `number` 1 the report stays open across it
  STACK_OP_EXEC_DESCRIPTOR,
  /// _exit(number)
  STACK_OP_EXIT,
};

struct stack_operation {
  uint32_t kind;
  int32_t fd;
  int32_t fd2;
  uint32_t slot;
  uint32_t slot2;
  /// MS_PRIVATE …, or 0
  uint32_t propagation;
  uint64_t flags;
  uint64_t number;
  uint64_t clear;
  const char *path;
  const char *text;
  const void *data;
};

struct stack_command {
  char *const *argv;
  char *const *envp;
  /// Full paths to try in order; NULL ends them
  char *const *candidates;
};

/// The child's memory between clone3 and exec.
///
/// Whoever may trace a child that runs in the caller's memory, or open that under /proc, has the caller's for good. The
/// calling thread sleeps until such a child has exec'd or is gone, as posix_spawn(3) has it. Copying the memory of a
/// program of 10 MB, and throwing the copy away, is a third of what it costs to make a container.
enum stack_memory {
  /// A copy of the caller's: right for every child. A child among the processes of others needs it: they see the child, and
  /// once it has given up its capabilities, those without any may trace it
  STACK_MEMORY_COPIED,
  /// The caller's. The child must be in a pid namespace of its own (CLONE_NEWPID), where nobody else sees it. Processes of
  /// the namespaces above do, so the caller must not be dumpable (stack_become_undumpable); the child is not either then.
  /// Refused with EINVAL otherwise
  STACK_MEMORY_SHARED_UNSEEN,
  /// The caller's. The child must stay as the caller is: same namespaces, users and capabilities. Whoever may trace it may
  /// trace the caller. Refused with EINVAL if an operation changes one of these
  STACK_MEMORY_SHARED_ALIKE,
};

struct stack_program {
  /// CLONE_NEW…: only what clone3 itself must do. The rest is cheaper in the child, on another core
  uint64_t clone_flags;
  /// A cgroup v2 directory for the child to start in, or STACK_NO_DESCRIPTOR
  int cgroup;
  /// A pidfd whose pid namespace the child is born in, or STACK_NO_DESCRIPTOR
  int pid_namespace_of;
  enum stack_memory memory;
  const struct stack_operation *operations;
  size_t count;
};

struct stack_spawned {
  pid_t pid;
  int pidfd;
  /// Messages of the child: end of file means that it has exec'd, or is gone
  int report;
};

/// Makes the child and returns, at once unless memory is shared. 0, or -1 and errno when there is no child.
int stack_spawn(const struct stack_program *program, struct stack_spawned *spawned);

enum stack_report_kind {
  /// An operation failed; the child is gone
  STACK_REPORT_FAILED = 1,
  /// The command could not be executed
  STACK_REPORT_EXEC_FAILED = 2,
  /// A descriptor comes with this message
  STACK_REPORT_DESCRIPTOR = 3,
};

struct stack_report {
  uint32_t kind;
  /// Index of the operation, or what a descriptor was marked with
  int32_t subject;
  int32_t error;
};

/// Reads one message. 1, 0 at end of file, -1 and errno. `descriptor` is set to a CLOEXEC descriptor or -1.
int stack_read_report(int report, int block, struct stack_report *message, int *descriptor);

/// The record that stack-init writes to the file at STACK_FD_RECORD when the command has ended.
struct stack_exit_record {
  uint32_t magic;
  /// As wait(2) encodes it
  int32_t status;
  /// Nanoseconds since 1970, CLOCK_REALTIME
  int64_t time;
};
#define STACK_EXIT_RECORD_MAGIC 0x314b5453u

/// The end of a process that a killed supervisor had left to its watcher, one of many in a file.
struct stack_end {
  uint32_t magic;
  int32_t pid;
  /// As wait(2) encodes it
  int32_t status;
  int32_t reserved;
  /// Nanoseconds since 1970, CLOCK_REALTIME
  int64_t time;
};
#define STACK_END_MAGIC 0x444e4553u
