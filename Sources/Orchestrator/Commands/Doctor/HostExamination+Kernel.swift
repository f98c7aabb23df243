import Glibc
import Host
import Intent
import Kernel
import Resolve

extension HostExamination {
  /// Root's own rights, which a container may lack.
  func rights() -> [HostFinding] {
    guard isRoot else { return [] }
    return attempt { () throws(KernelError) in
      guard let missing = try MissingRights.observe() else { return [] }
      return [HostFinding(.missing, missing.text, remedy: missing.remedy)]
    }
  }

  /// The kernel itself, and the program that is to be process 1 in services.
  func kernel() -> [HostFinding] {
    var findings = [Self.judge(kernelRelease: text(of: "/proc/sys/kernel/osrelease") ?? "")]
    findings += Self.judge(fileSystems: text(of: "/proc/filesystems") ?? "")
    findings.append(Self.judge(userNamespaces: number(in: "/proc/sys/user/max_user_namespaces")))
    if isRoot { findings.append(Self.judge(identities: IdentityFacts.observe([folders.lib]), lib: folders.lib)) }
    if let initProgram {
      findings.append(HostFinding(.good, "stack-init is \(initProgram)"))
    } else {
      findings.append(
        HostFinding(
          .missing, "stack-init is not beside stack, nor in ../libexec/stack",
          remedy: "install it there; only services with `init: false` start without it"))
    }
    return findings
  }

  /// The newest system call that a stack cannot do without is mount_setattr(2), of Linux 5.12.
  static func judge(kernelRelease release: String) -> HostFinding {
    let parts = release.split(whereSeparator: { !$0.isNumber }).prefix(2).compactMap { Int($0) }
    guard parts.count == 2 else {
      return HostFinding(.notice, "the kernel's release is not known: \"\(release)\"", remedy: "stacks need Linux 5.12")
    }
    let version = (parts[0], parts[1])
    if version < (5, 12) {
      return HostFinding(
        .missing, "Linux \(release) has no mount_setattr(2), which came with 5.12: services cannot get their mounts",
        remedy: "boot a newer kernel; Debian 12 has 6.1")
    }
    if version < (5, 14) {
      return HostFinding(
        .notice,
        "Linux \(release) has no cgroup.kill, which came with 5.14: what a service leaves is killed one by one",
        remedy: "boot a newer kernel if services fork without end; Debian 12 has 6.1")
    }
    return HostFinding(.good, "the kernel is Linux \(release)")
  }

  /// /proc/filesystems names those that the kernel has already: a module that is not loaded yet is not among them.
  static func judge(fileSystems: String) -> [HostFinding] {
    let known = Set(
      fileSystems.split(separator: "\n").compactMap { $0.split(whereSeparator: { $0 == "\t" || $0 == " " }).last })
    var findings: [HostFinding] = []
    if known.contains("overlay") {
      findings.append(HostFinding(.good, "overlayfs is there"))
    } else {
      findings.append(
        HostFinding(
          .notice, "overlayfs is not loaded: services with a writable layer need it",
          remedy: "modprobe overlay; if there is no such module, only `rootfs: {path: …, mode: direct}` is left"))
    }
    if !known.contains("tmpfs") {
      findings.append(
        HostFinding(
          .missing, "the kernel has no tmpfs, on which writable layers lie", remedy: "boot a kernel with CONFIG_TMPFS"))
    }
    return findings
  }

  /// - Parameter lib: where volumes lie.
  static func judge(identities facts: IdentityFacts, lib: String) -> HostFinding {
    if let refusal = facts.refusal {
      return HostFinding(
        .notice, "services have the host's users: \(refusal)",
        remedy: "boot Linux 5.19 or newer with user namespaces switched on; in a chroot, take a container instead")
    }
    if let reason = facts.unmappable[lib] {
      return HostFinding(
        .notice, "services with volumes have the host's users: \(lib) \(reason)",
        remedy: "mount another file system there, such as ext4 or xfs")
    }
    return HostFinding(.good, "services can have users of their own, and files keep their owners")
  }

  /// - Parameter limit: /proc/sys/user/max_user_namespaces; nil where the kernel has none (CONFIG_USER_NS).
  static func judge(userNamespaces limit: Int?) -> HostFinding {
    guard let limit else {
      return HostFinding(.notice, "the kernel has no user namespaces", remedy: "boot one with CONFIG_USER_NS")
    }
    guard limit > 0 else {
      return HostFinding(
        .notice, "user namespaces are switched off", remedy: "sysctl -w user.max_user_namespaces=15000")
    }
    return HostFinding(.good, "user namespaces are allowed, \(limit) of them")
  }
}
