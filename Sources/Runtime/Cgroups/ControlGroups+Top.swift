import CLinux
import Glibc
import Kernel
import SystemPackage

/// The top of the tree of version 2.
///
/// In a container with a cgroup namespace of its own, the top is not the first group of the host, and the container's
/// processes are in it. The kernel lets such a group hand down no controller that limits memory. A controller that limits
/// processes turns it into a threaded one, below which no other process can be started (Control Group v2, "No Internal
/// Process Constraint" and "Threads"). So the processes are moved to a group beside those of stacks, as container engines
/// inside containers do.
extension ControlGroups {
  /// The group for the container's processes. Container engines inside containers have the same name for theirs.
  static let asideName = "init"

  /// True if processes in the top keep it from handing controllers down.
  public func isTopInUse() throws(KernelError) -> Bool {
    guard let unified, try Self.type(of: unified) != nil else { return false }
    return try ControlGroupFile.read("\(unified)/cgroup.procs")?.isEmpty == false
  }

  /// The word in a group's cgroup.type: nil for the first group of the host, which has no such file.
  static func type(of folder: String) throws(KernelError) -> String? {
    try ControlGroupFile.read("\(folder)/cgroup.type").map { String($0.filter { $0 != "\n" }) }
  }

  /// True if no process can be started in groups below this one, since others have made it threaded.
  public static func isThreaded(_ folder: String) throws(KernelError) -> Bool {
    try type(of: folder).map { $0 != "domain" } ?? false
  }

  /// True if nothing can be changed by way of the mount of the tree.
  public static func isReadOnly(_ tree: String) -> Bool { stack_is_read_only(tree) == 1 }

  /// Moves the processes in the top to a group of their own.
  ///
  /// - Returns: false if some stay, since they are not to be seen from this pid namespace. Then all of them are where they were.
  public func clearTop() throws(KernelError) -> Bool {
    guard let unified else { return true }
    let aside = "\(unified)/\(Self.asideName)"
    guard mkdir(aside, 0o755) == 0 || errno == EEXIST else {
      throw KernelError("create cgroup", aside, errno: .last)
    }
    if try Self.move(from: unified, to: aside) { return true }
    try refillTop()
    return false
  }

  /// Moves them back, and removes the group.
  public func refillTop() throws(KernelError) {
    guard let unified else { return }
    let aside = "\(unified)/\(Self.asideName)"
    _ = try Self.move(from: aside, to: unified)
    // Whoever has made groups in it meanwhile keeps it.
    rmdir(aside)
  }

  /// - Returns: true when no process is left there.
  private static func move(from source: String, to target: String) throws(KernelError) -> Bool {
    // Processes start others meanwhile: in the source, as long as they are there themselves.
    for _ in 0..<20 {
      let text = try ControlGroupFile.read("\(source)/cgroup.procs") ?? ""
      let processes = text.split(separator: "\n")
      if processes.isEmpty { return true }
      // 0 is one that is not to be seen from here.
      for process in processes where process != "0" {
        do {
          try ControlGroupFile.write("\(target)/cgroup.procs", String(process))
        } catch {
          // It has ended.
          if error.errno != .noSuchProcess { throw error }
        }
      }
      if processes.allSatisfy({ $0 == "0" }) { return false }
    }
    return false
  }

  /// The controllers, by name, that the top has and does not hand down.
  public func missingAtTop() throws(KernelError) -> Set<String> {
    guard let unified, !offered.isEmpty else { return [] }
    let text = try ControlGroupFile.read("\(unified)/cgroup.subtree_control") ?? ""
    let given = Set(text.split { $0 == " " || $0 == "\n" }.map(String.init))
    return Set(offered.map(\.rawValue)).subtracting(given)
  }

  /// Hands a controller down from the top.
  public func handDown(_ controller: String) throws(KernelError) {
    guard let unified else { return }
    try ControlGroupFile.write("\(unified)/cgroup.subtree_control", "+\(controller)")
  }

  /// Hands it down no longer, neither from the top nor from the group at `path` and those in it. Fails while somebody else
  /// hands it further.
  public func takeBack(_ controller: String, below path: String) throws(KernelError) {
    guard let unified else { return }
    let folder = "\(unified)/\(path)"
    for child in try ControlGroupFile.children(of: folder) {
      try? ControlGroupFile.write("\(folder)/\(child)/cgroup.subtree_control", "-\(controller)")
    }
    try? ControlGroupFile.write("\(folder)/cgroup.subtree_control", "-\(controller)")
    try ControlGroupFile.write("\(unified)/cgroup.subtree_control", "-\(controller)")
  }
}
