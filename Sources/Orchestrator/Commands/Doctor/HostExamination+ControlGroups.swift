import Kernel
import Runtime

extension HostExamination {
  /// The mount of the control groups (cgroups(7)).
  enum ControlGroupMode: Hashable {
    case version2(String)
    /// Version 1 with the controllers, and version 2 beside it for naming and killing.
    case hybrid(String)
    case version1
    /// Version 2, mounted so that no group can be made.
    case readOnly(String)
    /// Version 2, with a top that takes threads alone.
    case threaded(String)
    /// Version 2, with a container's own processes in the top.
    case inUse(String)
    case none
  }

  func controlGroups() -> [HostFinding] {
    attempt { () throws(KernelError) in
      let mounts = try Mounts.all()
      let hasVersion1 = mounts.contains { $0.fileSystem == "cgroup" }
      guard let tree = ControlGroups.unified(of: mounts) else { return [Self.judge(hasVersion1 ? .version1 : .none)] }
      let mode: ControlGroupMode = hasVersion1 ? .hybrid(tree) : .version2(tree)
      if ControlGroups.isReadOnly(tree) { return [Self.judge(.readOnly(tree))] }
      if try ControlGroups.isThreaded(tree) { return [Self.judge(.threaded(tree))] }
      let groups = try ControlGroups.observe()
      let isInUse = try groups.missingAtTop().isEmpty ? false : groups.isTopInUse()
      return [Self.judge(mode)] + (isInUse ? [Self.judge(.inUse(tree))] : [])
    }
  }

  static func judge(_ mode: ControlGroupMode) -> HostFinding {
    switch mode {
    case .version2(let tree): HostFinding(.good, "cgroups are version 2, at \(tree)")
    case .hybrid(let tree):
      HostFinding(
        .good,
        "cgroups are hybrid: services are grouped and killed by the version 2 tree at \(tree), and limited by version 1's "
          + "controllers")
    case .version1:
      HostFinding(
        .notice,
        "cgroups are version 1 only: services are limited by its controllers, and paused and killed by its freezer, which "
          + "is slower than the version 2 tree",
        remedy:
          "mount the version 2 tree: mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 none /sys/fs/cgroup/unified")
    case .readOnly(let tree):
      HostFinding(
        .notice,
        "the cgroup tree at \(tree) is read-only: services run without default limits, and those with others "
          + "do not come up",
        remedy: "in a container, run that one with a writable cgroup tree (docker: --privileged); "
          + "else mount -o remount,rw \(tree)")
    case .threaded(let tree):
      HostFinding(
        .notice,
        "the cgroup at \(tree) is threaded, which another program has made it: no service can be started in it, so services "
          + "have no limits",
        remedy: "in a container, start that one anew; else switch off the controllers in \(tree)/cgroup.subtree_control"
      )
    case .inUse(let tree):
      HostFinding(
        .good,
        "this container's processes are in \(tree) itself: up moves them to \(tree)/init, so that services can be limited, "
          + "and the last down moves them back")
    case .none:
      HostFinding(
        .notice, "no cgroups are mounted: a stack whose state is lost is taken down without its processes",
        remedy: "mount -t cgroup2 none /sys/fs/cgroup")
    }
  }
}
