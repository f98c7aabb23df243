import Kernel
import Runtime

extension HostExamination {
  /// The mount of the control groups (cgroups(7)).
  enum ControlGroupMode: Hashable {
    case version2(String)
    /// Version 1 with the controllers, and version 2 beside it for naming and killing.
    case hybrid(String)
    case version1
    case none
  }

  func controlGroups() -> [HostFinding] {
    attempt { () throws(KernelError) in
      let mounts = try Mounts.all()
      let hasVersion1 = mounts.contains { $0.fileSystem == "cgroup" }
      guard let tree = try ControlGroups.observe().unified else {
        return [Self.judge(hasVersion1 ? .version1 : .none)]
      }
      let isReadOnly = mounts.last { $0.mountPoint == tree }?.superOptions.contains("ro") ?? false
      guard !isReadOnly else {
        return [
          HostFinding(
            .notice,
            "the cgroup tree at \(tree) is read-only: services run without default limits, and those with others "
              + "do not come up",
            remedy: "in a container, run that one with a writable cgroup tree; else mount -o remount,rw \(tree)")
        ]
      }
      return [Self.judge(hasVersion1 ? .hybrid(tree) : .version2(tree))]
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
    case .none:
      HostFinding(
        .notice, "no cgroups are mounted: a stack whose state is lost is taken down without its processes",
        remedy: "mount -t cgroup2 none /sys/fs/cgroup")
    }
  }
}
