import CLinux
import Glibc
import Intent
import Kernel
import Runtime

/// The control group of a stack's supervisor, and the lock on it that makes the supervisor the only one.
///
/// It lies beside the services' groups. So the supervisor does not end with the group of whoever brought the stack up. A
/// group that has a process cannot be removed. So the lock lasts as long as the supervisor does, whatever becomes of
/// /run/stack.
package struct SupervisorGroup {
  private static let parent = "stack/.supervisors"

  private let group: ControlGroup
  /// The file of the lock on a host without cgroups.
  private let substitute: String

  package init(of stack: String, in folders: StateFolders, _ groups: ControlGroups) {
    group = groups.group("\(Self.parent)/\(stack)")
    substitute = "\(folders.host)/\(stack).supervisor"
  }

  /// The stacks that have such a group.
  package static func stacks(_ groups: ControlGroups) -> [String] {
    guard let folder = groups.group(parent).folder else { return [] }
    return Files.list(folder)
  }

  /// Makes the group.
  ///
  /// - Returns: the way into it; nil where groups cannot be made: then a supervisor stays in its caller's.
  package func make() -> ControlGroupEntrance? {
    do {
      try group.ensure()
      return group.entrance
    } catch {
      return nil
    }
  }

  /// Removes the group once the supervisor has left it, which takes a moment after its last answer.
  package func remove() {
    unlink(substitute)
    try? group.remove(upTo: "stack")
  }

  /// Takes the lock for this process; nil while another one has it.
  package func lock() throws(KernelError) -> Descriptor? {
    let held = try open()
    guard flock(held.rawValue, LOCK_EX | LOCK_NB) == 0 else {
      guard errno == EWOULDBLOCK else { throw KernelError("lock", group.path, errno: .last) }
      return nil
    }
    return .some(held)
  }

  /// True if a supervisor has the lock.
  package func isLocked() throws(KernelError) -> Bool {
    guard let folder = group.folder, Files.exists(folder) || Files.exists(substitute) else { return false }
    if case .none = try lock() { return true }
    return false
  }

  private func open() throws(KernelError) -> Descriptor {
    if let folder = group.folder {
      let number = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      if number >= 0 { return Descriptor(adopting: number) }
    }
    try Files.makeFolder(substitute.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" })
    let number = Glibc.open(substitute, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard number >= 0 else { throw KernelError("open lock", substitute, errno: .last) }
    return Descriptor(adopting: number)
  }
}
