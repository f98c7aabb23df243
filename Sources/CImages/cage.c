#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CImages.h"

// linux/landlock.h of newer kernels.
#define ACCESS_REFER (1ULL << 13)
#define ACCESS_TRUNCATE (1ULL << 14)

/// Nothing can be written or executed but below `folder`, and there nothing executed. 1 where the kernel has no Landlock.
static int close_files(int folder) {
  long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 0) return errno == ENOSYS || errno == EOPNOTSUPP ? 1 : -1;
  // Hard links between folders take the second version.
  if (version < 2) return 1;
  uint64_t writing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                     LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                     LANDLOCK_ACCESS_FS_MAKE_SYM | ACCESS_REFER | (version >= 3 ? ACCESS_TRUNCATE : 0);
  struct landlock_ruleset_attr rules = {.handled_access_fs = writing | LANDLOCK_ACCESS_FS_EXECUTE};
  int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules.handled_access_fs, 0);
  if (ruleset < 0) return -1;
  struct landlock_path_beneath_attr rule = {.allowed_access = writing, .parent_fd = folder};
  int answer = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  if (answer == 0) answer = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
  int code = errno;
  close(ruleset);
  errno = code;
  return answer;
}

/// Devices that are made in `folder` cannot be opened, by a mount of its own. A layer may have some, for services alone.
static int close_devices(const char *folder) {
  if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return -1;
  if (mount(folder, folder, NULL, MS_BIND, NULL) != 0) return -1;
  struct mount_attr own = {.attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC};
  return (int)syscall(SYS_mount_setattr, AT_FDCWD, folder, 0, &own, sizeof own);
}

/// What Landlock does, by making everything else read-only.
static int close_mounts(const char *folder) {
  struct mount_attr all = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC};
  if (syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &all, sizeof all) != 0) return -1;
  struct mount_attr own = {.attr_clr = MOUNT_ATTR_RDONLY};
  return (int)syscall(SYS_mount_setattr, AT_FDCWD, folder, 0, &own, sizeof own);
}

/// Drops all capabilities but those for unpacking: owners, modes, devices, file capabilities, and the `trusted.`
/// attributes of overlayfs.
static int drop_capabilities(void) {
  uint64_t kept = 1ULL << CAP_CHOWN | 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_FOWNER | 1ULL << CAP_FSETID |
                  1ULL << CAP_MKNOD | 1ULL << CAP_SETFCAP | 1ULL << CAP_SYS_ADMIN;
  for (int capability = 0; capability <= CAP_LAST_CAP; capability++) {
    if (!(kept >> capability & 1)) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) != 0) return -1;
  for (int word = 0; word < 2; word++) {
    uint32_t mask = (uint32_t)(kept >> 32 * word);
    data[word].permitted &= mask;
    data[word].effective &= mask;
    data[word].inheritable = 0;
  }
  return (int)syscall(SYS_capset, &header, data);
}

#if defined __x86_64__
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/// Refuses what no unpacking asks for: programs, sockets, other processes, mounts and namespaces, the kernel itself.
static int filter_calls(void) {
  static const unsigned refused[] = {
      SYS_execve, SYS_execveat, SYS_socket, SYS_connect, SYS_bind, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
      SYS_pidfd_open, SYS_pidfd_getfd, SYS_kill, SYS_tkill, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_open_tree,
      SYS_move_mount, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr, SYS_setns, SYS_unshare,
      SYS_open_by_handle_at, SYS_bpf, SYS_perf_event_open, SYS_init_module, SYS_finit_module, SYS_delete_module,
      SYS_kexec_load, SYS_kexec_file_load, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_settimeofday, SYS_clock_settime,
      SYS_sethostname, SYS_setdomainname, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_userfaultfd, SYS_quotactl,
      SYS_io_uring_setup, SYS_acct, SYS_syslog,
  };
  enum { COUNT = sizeof refused / sizeof *refused };
  // On x86-64, calls of the x32 ABI have this bit, and other numbers (__X32_SYSCALL_BIT).
  enum { OTHER_ABI = 0x40000000 };
  struct sock_filter filter[COUNT + 7];
  size_t place = 0;
  filter[place++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
  filter[place++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 1, 0);
  filter[place++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  filter[place++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  filter[place++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, OTHER_ABI, (unsigned char)(COUNT + 1), 0);
  for (unsigned i = 0; i < COUNT; i++) {
    filter[place++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused[i], (unsigned char)(COUNT - i), 0);
  }
  filter[place++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[place++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  struct sock_fprog program = {(unsigned short)place, filter};
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

int images_enter_cage(const char *folder) {
  struct rlimit none = {0, 0};
  int descriptor = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return -1;
  int answer = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (answer == 0) answer = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (answer == 0) answer = setrlimit(RLIMIT_CORE, &none);
  if (answer == 0) answer = unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
  if (answer == 0) answer = close_devices(folder);
  if (answer == 0) answer = close_files(descriptor);
  if (answer == 1) answer = close_mounts(folder);
  if (answer == 0) answer = drop_capabilities();
  if (answer == 0) answer = filter_calls();
  int code = errno;
  close(descriptor);
  errno = code;
  return answer;
}
