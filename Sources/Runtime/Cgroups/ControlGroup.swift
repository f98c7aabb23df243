import Glibc
import Isolation
import Kernel
import SystemPackage

/// One group, by its path below the top of every tree: `stack/web/web1`. A value; what it names need not exist.
public struct ControlGroup: Hashable, Sendable {
  public let groups: ControlGroups
  public let path: String

  init(groups: ControlGroups, path: String) {
    self.groups = groups
    self.path = path
  }

  /// The folder of the group in the tree that is mounted at `tree`.
  func folder(in tree: String) -> String { "\(tree)/\(path)" }

  /// Its folder in the tree of version 2, or in the one that stands in for it.
  public var folder: String? { groups.tracking.map(folder(in:)) }

  /// True if processes can be found by it.
  public var exists: Bool { folder.map { access($0, F_OK) == 0 } ?? false }

  // MARK: Making

  /// Makes the group anew, with those above it that are missing, and limits it.
  ///
  /// Anew, since a group of version 2 that was killed once kills whatever is born in it (clone3(2), CLONE_INTO_CGROUP, on
  /// Linux 6.18), and since counters begin at nothing. What a former run has left in it is killed.
  ///
  /// - Returns: what could not be had of the limits that nobody has asked for.
  /// - Throws: a limit that was asked for and cannot be set; EINVAL for a path that leads elsewhere.
  public func create(_ limits: ResourceLimits = ResourceLimits()) throws(KernelError) -> [KernelError] {
    try checkPath()
    var lacks: [KernelError] = []
    for tree in [groups.unified].compactMap(\.self) + groups.legacyTrees(for: limits) {
      do {
        try renew(in: tree)
      } catch {
        // A tree that is not ours to write in, as in a container of others.
        guard [.readOnlyFileSystem, .permissionDenied, .notPermitted].contains(error.errno) else { throw error }
        lacks.append(error)
      }
    }
    for setting in try limits.settings() {
      do {
        try apply(setting)
      } catch {
        if setting.isRequired { throw error }
        lacks.append(error)
      }
    }
    return lacks
  }

  private func checkPath() throws(KernelError) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    if parts.contains(".") || parts.contains("..") || parts.contains("") {
      throw KernelError("create cgroup", path, errno: .invalidArgument)
    }
  }

  func renew(in tree: String) throws(KernelError) {
    let folder = folder(in: tree)
    for _ in 0..<3 {
      if mkdir(folder, 0o755) == 0 {
        if groups.legacy[.cpuset] == tree { try inheritProcessors(folder) }
        return
      }
      switch errno {
      case EEXIST:
        // One that was just made, without processes, is gone at once.
        if rmdir(folder) == 0 { continue }
        try kill()
        try ControlGroupFile.removeTree(folder)
      case ENOENT: try makeAncestors(in: tree)
      default: throw KernelError("create cgroup", folder, errno: .last)
      }
    }
    throw KernelError("create cgroup", folder, errno: .resourceBusy)
  }

  private func makeAncestors(in tree: String) throws(KernelError) {
    var folder = tree
    for part in path.split(separator: "/").dropLast() {
      folder += "/\(part)"
      if mkdir(folder, 0o755) != 0, errno != EEXIST {
        throw KernelError("create cgroup", folder, errno: .last)
      }
      if groups.legacy[.cpuset] == tree { try inheritProcessors(folder) }
    }
    guard tree == groups.unified else { return }
    // A missing controller is reported by the limits that need it.
    for controller in [ControlGroups.Controller.memory, .pids] { try? enable(controller) }
  }

  /// Has the groups above this one, of version 2, hand a controller down to it.
  func enable(_ controller: ControlGroups.Controller) throws(KernelError) {
    guard let tree = groups.unified, groups.offered.contains(controller) else { return }
    guard try !groups.isTopInUse() else {
      throw KernelError("hand down", controller.rawValue, errno: .resourceBusy)
    }
    var folder = tree
    for part in path.split(separator: "/") {
      try ControlGroupFile.write("\(folder)/cgroup.subtree_control", "+\(controller.rawValue)")
      folder += "/\(part)"
    }
  }

  /// A group of version 1 has no processors at first, and with none it takes no process (cpuset(7)).
  private func inheritProcessors(_ folder: String) throws(KernelError) {
    let parent = folder.lastIndex(of: "/").map { String(folder[..<$0]) } ?? folder
    for file in ["cpuset.cpus", "cpuset.mems"] {
      guard try ControlGroupFile.read("\(folder)/\(file)")?.allSatisfy(\.isWhitespace) == true else { continue }
      let inherited = try ControlGroupFile.read("\(parent)/\(file)") ?? ""
      try ControlGroupFile.write("\(folder)/\(file)", String(inherited.filter { !$0.isWhitespace }))
    }
  }

  /// Makes the group where it is missing. What is in it stays.
  public func ensure() throws(KernelError) {
    try checkPath()
    for tree in [groups.unified].compactMap(\.self) + groups.legacyTrees(for: ResourceLimits()) {
      let folder = folder(in: tree)
      if access(folder, F_OK) == 0 { continue }
      try makeAncestors(in: tree)
      guard mkdir(folder, 0o755) == 0 || errno == EEXIST else {
        throw KernelError("create cgroup", folder, errno: .last)
      }
      if groups.legacy[.cpuset] == tree { try inheritProcessors(folder) }
    }
  }

  // MARK: Entering

  /// The way of a process into the group: through the trees in which it exists.
  public var entrance: ControlGroupEntrance { entrance(through: groups.trees) }

  /// The entrance of a group that was made with these limits.
  public func entrance(with limits: ResourceLimits) -> ControlGroupEntrance {
    entrance(through: groups.legacyTrees(for: limits))
  }

  private func entrance(through trees: [String]) -> ControlGroupEntrance {
    ControlGroupEntrance(
      folder: groups.unified.map(folder(in:)),
      files: trees.filter { $0 != groups.unified }.map { "\(folder(in: $0))/tasks" })
  }

  // MARK: Removing

  /// Removes it and those below it in every tree, then the groups above it that are empty, up to the one at `top`, which
  /// goes too. Gone already is no error.
  public func remove(upTo top: String? = nil) throws(KernelError) {
    for tree in groups.trees {
      try ControlGroupFile.removeTree(folder(in: tree))
      guard let top else { continue }
      var current = path
      while current.hasPrefix("\(top)/"), let slash = current.lastIndex(of: "/") {
        current = String(current[..<slash])
        // Others may still be in use by other services, or by other stacks.
        if rmdir("\(tree)/\(current)") != 0 { break }
      }
    }
  }

  /// Removes it if nothing is in it: false when something is, also a process that has been killed and not gone yet.
  public func removeIfEmpty() -> Bool {
    groups.trees.allSatisfy { rmdir(folder(in: $0)) == 0 || errno == ENOENT }
  }
}
