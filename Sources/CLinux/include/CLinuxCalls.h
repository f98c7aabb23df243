// System calls without a wrapper in every C library, and macros Swift cannot see. Each answers like the call it
// wraps: -1 and errno on failure.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int stack_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int stack_open_tree(int directory, const char *path, unsigned flags);
int stack_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags);
/// `propagation` is MS_PRIVATE, MS_SHARED … or 0 to leave it.
int stack_mount_setattr(int directory, const char *path, unsigned flags, uint64_t set, uint64_t clear,
                        uint64_t propagation);
/// Maps the ids of a mount that is not yet in any mount namespace by a user namespace: what is 0 on disk is that one's
/// root. `flags`: AT_RECURSIVE. EINVAL where the file system has no idmapped mounts.
int stack_map_mount(int tree, unsigned flags, int namespace);
int stack_fsopen(const char *type);
int stack_fsconfig(int context, unsigned command, const char *key, const char *value, int auxiliary);
int stack_fsmount(int context, unsigned attributes);

/// mount(2) of an overlay whose options name folders relative to `folder`. The caller's own working folder stays.
int stack_mount_overlay(int folder, const char *target, const char *options);

/// A pipe, both ends close-on-exec; only the one that is read from does not block.
int stack_pipe(int *read_end, int *write_end);

/// 1 when something is mounted on `path` (statx(2), STATX_ATTR_MOUNT_ROOT): also what bind mounts bring, which st_dev
/// does not tell. A link at its end is not followed.
int stack_is_mount_point(int directory, const char *path);

/// The magic number of the file system that `path` is on (statfs(2)), or -1.
int64_t stack_file_system_type(const char *path);

/// 1 when nothing can be written by way of the mount that `path` leads to, 0 when it can, or -1.
int stack_is_read_only(const char *path);

/// Gives the calling process the I/O priority that follows from its nice value (ioprio_set(2), IOPRIO_CLASS_NONE).
int stack_reset_io_priority(void);
/// execveat(2) of the open file, with the environment that this program has.
int stack_execute_again(int file, char *const *arguments);

int stack_pidfd_open(pid_t pid);
/// Flushes stdout; 0, or the errno of what could not be written, now or before.
int stack_flush_output(void);
int stack_pidfd_send_signal(int pidfd, int signal);
/// The same with a value, as sigqueue(3) sends it.
int stack_pidfd_send_value(int pidfd, int signal, int value);
int stack_pidfd_getfd(int pidfd, int descriptor);
/// Waits for the child behind `pidfd` and stores its status as wait(2) encodes it. Answers 1 when it has ended, 0 when
/// `block` is 0 and it has not, -1 and ECHILD when it is no child of the caller.
int stack_pidfd_wait(int pidfd, int block, int *status);

/// Settings of a new network namespace.
enum {
  STACK_NETNS_LOOPBACK = 1,
  STACK_NETNS_DISABLE_IPV6 = 2,
  STACK_NETNS_FORWARD = 4,
  STACK_NETNS_STATIC_IPV6 = 8,
};

/// Makes a network namespace, with the calling thread back in its own when it returns, and answers a CLOEXEC
/// descriptor to it. `proc` is the root of a procfs.
int stack_netns_create(int proc, unsigned options);

/// As stack_netns_create, but owned by a user namespace made with it, in which the ids from 0 on are those of the caller's
/// from `first` on, `count` of them. Nothing but the network namespace holds on to that one. Leaves the caller undumpable.
int stack_netns_create_owned(int proc, unsigned options, uint32_t first, uint32_t count);

/// Makes a user namespace with such ids, and answers a CLOEXEC descriptor to it. Leaves the caller undumpable.
int stack_userns_create(uint32_t first, uint32_t count);

/// A descriptor to the user namespace that owns the namespace behind a descriptor.
int stack_namespace_owner(int descriptor);

/// The CLONE_NEW… flag of the namespace behind a descriptor; EINVAL when it is none.
int stack_namespace_type(int descriptor);

int stack_terminal_size(int terminal, unsigned short *rows, unsigned short *columns);
int stack_set_terminal_size(int terminal, unsigned short rows, unsigned short columns);
/// A signalfd(2) for the signals that `stack_block_signals` holds back.
int stack_signal_descriptor(void);
/// Holds back the signals that a foreground command passes on, and SIGCHLD, in the calling thread; keeps the former
/// mask in `former`, which `stack_restore_signals` takes. The size is that of sigset_t.
void stack_block_signals(void *former);
void stack_restore_signals(const void *former);
size_t stack_signal_set_size(void);
/// The next signal from `descriptor`, or 0 when there is none now.
int stack_next_signal(int descriptor);

/// Loads a program that decides on devices, `count` times struct bpf_insn, and answers a CLOEXEC descriptor to it.
int stack_load_device_filter(const void *instructions, unsigned count);
/// Has it decide for the processes of a cgroup of version 2, beside others that do.
int stack_attach_device_filter(int cgroup, int program);

/// Moves what a pipe holds, `length` octets at most, to `offset` in a file, without waiting (splice(2)).
ssize_t stack_splice_to_file(int pipe, int file, off_t offset, size_t length);
/// Has a pipe hold so many octets (F_SETPIPE_SZ).
int stack_set_pipe_capacity(int pipe, int octets);

/// Copies a file from its beginning, with its holes. Both stand at 0.
///
/// `shares_blocks` is 1 to have the kernel copy, which shares blocks where the file system can (copy_file_range(2)). It becomes 0 where
/// the kernel cannot, so that it is asked once for many files.
int stack_copy_file(int source, int target, int *shares_blocks);
/// Copies the attributes `user.` and `security.capability` of an open file, as far as the file system of the other has them.
int stack_copy_attributes(int source, int target);
/// Marks a folder as one that is being filled, or filled. 0, or -1. A service cannot set the mark.
int stack_mark_filling(int folder, int is_filling);
/// 1 for a folder whose filling has not come to its end.
int stack_is_filling(int folder);

/// A file in memory, with O_CLOEXEC (memfd_create(2)).
int stack_memfd_create(const char *name);

/// Has the calling thread make files as this user and group, with its capabilities as they are (setfsuid(2)).
int stack_make_files_as(uint32_t id);

/// Lets go of the pages of this program's own code that are mapped. Those still in use come back from the page cache
/// at the next touch.
void stack_release_code(void);

/// From now on only who may trace every process of the user namespace can trace this one, look into its memory, or follow what
/// /proc has of it; the same holds for its children until they have exec'd (PR_SET_DUMPABLE).
int stack_become_undumpable(void);
/// 1 when whoever has the same users and capabilities may do that.
int stack_is_dumpable(void);

/// The effective capabilities of the calling thread, one bit each (capget(2)).
int stack_effective_capabilities(uint64_t *capabilities);
