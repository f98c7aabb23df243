#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CImages.h"

// linux/landlock.h of newer kernels.
#define ACCESS_REFER (1ULL << 13)
#define ACCESS_TRUNCATE (1ULL << 14)

/// The user that owns nothing.
enum { NOBODY = 65534 };

/// Everything that changes a file system.
static uint64_t writing(long version) {
  return LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
         LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
         LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
         LANDLOCK_ACCESS_FS_MAKE_SYM | ACCESS_REFER | (version >= 3 ? ACCESS_TRUNCATE : 0);
}

/// Allows `access` to what is below an open folder, or to an open file what can be done to one of it.
static int allow(int ruleset, int place, uint64_t access) {
  struct stat status;
  if (fstat(place, &status) != 0) return -1;
  if (!S_ISDIR(status.st_mode)) access &= ~(uint64_t)LANDLOCK_ACCESS_FS_READ_DIR;
  struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = place};
  return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

/// Confines this process to a ruleset that was made without a failure, and closes it.
static int enforce(int ruleset, int answer) {
  if (answer == 0) answer = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
  int code = errno;
  close(ruleset);
  errno = code;
  return answer;
}

enum { READING = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR };

/// The files that name services, certificates and what libraries load of their own. Those that there are not are passed.
static const char *const readable[] = {
    "/etc/resolv.conf", "/etc/hosts",    "/etc/nsswitch.conf",       "/etc/host.conf",  "/etc/gai.conf", "/etc/services",
    "/etc/ssl",         "/etc/pki",      "/etc/ca-certificates",     "/etc/ld.so.cache", "/etc/localtime", "/run/systemd/resolve",
    "/run/nscd",        "/usr/share",    "/usr/lib",                 "/usr/lib64",      "/lib",          "/lib64",
    "/usr/local/lib",   "/usr/local/share/ca-certificates", "/dev/null", "/dev/urandom", "/proc/sys/crypto", "/var/lib/ca-certificates",
    NULL,
};

static int allow_libraries(int ruleset) {
  int answer = 0;
  for (const char *const *path = readable; *path && answer == 0; path++) {
    int place = open(*path, O_PATH | O_CLOEXEC);
    if (place < 0) continue;
    answer = allow(ruleset, place, READING);
    close(place);
  }
  return answer;
}

/// Nothing can be written or executed, and only what is named above be read. 1 where the kernel has no Landlock.
static int close_all_files(void) {
  long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 0) return errno == ENOSYS || errno == EOPNOTSUPP ? 1 : -1;
  uint64_t handled = writing(version) | READING | LANDLOCK_ACCESS_FS_EXECUTE;
  if (version < 2) handled &= ~ACCESS_REFER;
  struct landlock_ruleset_attr rules = {.handled_access_fs = handled};
  int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules.handled_access_fs, 0);
  if (ruleset < 0) return -1;
  return enforce(ruleset, allow_libraries(ruleset));
}

/// Devices that are made in `folder` cannot be opened, by a mount of its own. A layer may have some, for services alone.
static int close_devices(const char *folder) {
  if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return -1;
  if (mount(folder, folder, NULL, MS_BIND, NULL) != 0) return -1;
  struct mount_attr own = {.attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC};
  return (int)syscall(SYS_mount_setattr, AT_FDCWD, folder, 0, &own, sizeof own);
}

/// Nothing can be written or executed but below `folder`, and there nothing executed. Only what is beside the folder, where the
/// layers below are, and what libraries load can be read. 1 where the kernel has no Landlock.
static int close_files(int folder) {
  long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 0) return errno == ENOSYS || errno == EOPNOTSUPP ? 1 : -1;
  // Hard links between folders take the second version.
  if (version < 2) return 1;
  struct landlock_ruleset_attr rules = {.handled_access_fs = writing(version) | READING | LANDLOCK_ACCESS_FS_EXECUTE};
  int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules.handled_access_fs, 0);
  if (ruleset < 0) return -1;
  int store = openat(folder, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
  int answer = store < 0 ? -1 : allow(ruleset, store, READING);
  if (store >= 0) close(store);
  if (answer == 0) answer = allow(ruleset, folder, writing(version) | READING);
  if (answer == 0) answer = allow_libraries(ruleset);
  return enforce(ruleset, answer);
}

/// The same by a mount namespace in which everything else is read-only; all of it, where `folder` is NULL. A folder has a
/// mount of its own already (`close_devices`).
static int close_mounts(const char *folder) {
  if (!folder && (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)) return -1;
  struct mount_attr all = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC};
  if (syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &all, sizeof all) != 0) return -1;
  if (!folder) return 0;
  struct mount_attr own = {.attr_clr = MOUNT_ATTR_RDONLY};
  return (int)syscall(SYS_mount_setattr, AT_FDCWD, folder, 0, &own, sizeof own);
}

/// The rights that unpacking takes: owners, modes, devices, file capabilities, and the `trusted.` attributes of overlayfs.
static const uint64_t unpacking = 1ULL << CAP_CHOWN | 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_FOWNER | 1ULL << CAP_FSETID |
                                  1ULL << CAP_MKNOD | 1ULL << CAP_SETFCAP | 1ULL << CAP_SYS_ADMIN;

static int drop_capabilities(uint64_t kept) {
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

/// Refuses what neither asks for: programs, other processes, mounts and namespaces, the kernel itself. Of sockets it leaves those
/// of TCP, UDP, names and addresses to a process with a network, and none to one without.
static int filter_calls(int has_network) {
  static const unsigned refused[] = {
      SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_open, SYS_pidfd_getfd, SYS_kill,
      SYS_tkill, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_fsconfig,
      SYS_fsmount, SYS_fspick, SYS_mount_setattr, SYS_setns, SYS_unshare, SYS_open_by_handle_at, SYS_bpf, SYS_perf_event_open,
      SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_kexec_file_load, SYS_reboot, SYS_swapon,
      SYS_swapoff, SYS_settimeofday, SYS_clock_settime, SYS_sethostname, SYS_setdomainname, SYS_keyctl, SYS_add_key,
      SYS_request_key, SYS_userfaultfd, SYS_quotactl, SYS_io_uring_setup, SYS_acct, SYS_syslog, SYS_listen, SYS_accept,
      SYS_accept4,
      // Root without capabilities may signal all processes of root's.
      SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pidfd_send_signal, SYS_process_madvise, SYS_move_pages,
      SYS_migrate_pages,
      // Gives descriptors of what others open.
      SYS_fanotify_init,
      // The last three are of a network.
      SYS_connect, SYS_bind, SYS_socket,
  };
  static const unsigned families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
  // On x86-64, calls of the x32 ABI have this bit, and other numbers (__X32_SYSCALL_BIT).
  enum { OTHER_ABI = 0x40000000 };
  enum { COUNT = sizeof refused / sizeof *refused, FAMILIES = sizeof families / sizeof *families };
  struct sock_filter filter[COUNT + FAMILIES + 14];
  unsigned place = 0, count = has_network ? COUNT - 3 : COUNT;
  // Where each jump leads is known once all is laid out: the refusal is the last, what is allowed stands before it.
  unsigned last = 5 + count + 4 + (has_network ? 3 + FAMILIES : 0) + 1;
  filter[place++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
  filter[place++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 1, 0);
  filter[place++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  filter[place++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  filter[place] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, OTHER_ABI, (unsigned char)(last - place - 1), 0);
  place++;
  for (unsigned i = 0; i < count; i++, place++) {
    filter[place] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused[i], (unsigned char)(last - place - 1), 0);
  }
  // Limits of its own, and of no other process.
  filter[place++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prlimit64, 0, 3);
  filter[place++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args));
  filter[place] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, (unsigned char)(last - place - 1));
  place++;
  filter[place] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, last - place - 2);
  place++;
  if (has_network) {
    filter[place] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, (unsigned char)(last - place - 2));
    place++;
    filter[place++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args));
    for (unsigned i = 0; i < FAMILIES; i++, place++) {
      filter[place] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, families[i], (unsigned char)(last - place - 2), 0);
    }
    filter[place] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0);
    place++;
  }
  filter[place++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[place++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  struct sock_fprog program = {(unsigned short)place, filter};
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

/// Nobody looks into this process, and it gains nothing by what it executes.
static int close_process(void) {
  struct rlimit none = {0, 0};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return -1;
  return setrlimit(RLIMIT_CORE, &none);
}

int images_enter_network_cage(void) {
  int answer = close_process();
  int is_root = geteuid() == 0;
  if (answer == 0 && is_root) answer = unshare(CLONE_NEWIPC | CLONE_NEWUTS);
  if (answer == 0) answer = close_all_files();
  if (answer == 1) answer = is_root ? close_mounts(NULL) : 0;
  if (answer == 0 && is_root) answer = setgroups(0, NULL);
  if (answer == 0 && is_root) {
    for (int capability = 0; capability <= CAP_LAST_CAP; capability++) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
  // The last capabilities go with root's number (capabilities(7)).
  if (answer == 0 && is_root) answer = setresgid(NOBODY, NOBODY, NOBODY);
  if (answer == 0 && is_root) answer = setresuid(NOBODY, NOBODY, NOBODY);
  // Another user made it so again.
  if (answer == 0) answer = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (answer == 0) answer = filter_calls(1);
  return answer;
}

enum { UNPACKING_MEMORY = 512 << 20 };

int images_enter_cage(const char *folder) {
  // A layer says how much libraries keep in memory: maps of sparse files, headers, windows.
  struct rlimit memory = {UNPACKING_MEMORY, UNPACKING_MEMORY};
  int descriptor = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return -1;
  int answer = close_process();
  if (answer == 0) answer = setrlimit(RLIMIT_DATA, &memory);
  if (answer == 0) answer = unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
  if (answer == 0) answer = close_devices(folder);
  if (answer == 0) answer = close_files(descriptor);
  if (answer == 1) answer = close_mounts(folder);
  if (answer == 0) answer = drop_capabilities(unpacking);
  if (answer == 0) answer = filter_calls(0);
  int code = errno;
  close(descriptor);
  errno = code;
  return answer;
}
