import Glibc
import Kernel
import SystemPackage

extension ControlGroup {
  /// Makes the group in the one tree that processes are found and ended by, in a group that exists; ENOENT when that does
  /// not, so none is made again that was removed. For what runs a moment beside a service, within its limits.
  public func createForTracking() throws(KernelError) {
    guard let folder else { return }
    if mkdir(folder, 0o755) != 0, errno != EEXIST {
      throw KernelError("create cgroup", folder, errno: .last)
    }
  }

  /// The processes in it and in those below it.
  public func processes() throws(KernelError) -> [Int32] {
    guard let folder else { return [] }
    return try ControlGroupFile.processes(in: folder)
  }

  // MARK: Killing

  /// Kills every process in it and below, whatever they fork meanwhile: at once where there is cgroup.kill (version 2,
  /// Linux 5.14); else they are frozen, killed and thawed. Nothing to do where there is no such group.
  ///
  /// Without either, one by one until none is left; EBUSY when some still are after `limit`.
  public func kill(within limit: Duration = .milliseconds(500)) throws(KernelError) {
    guard let folder else { return }
    if groups.unified != nil, try writeIfThere("\(folder)/cgroup.kill", "1") { return }
    try setFrozen(true)
    let deadline = SuspendingClock.now + limit
    var members = try processes()
    while !members.isEmpty, SuspendingClock.now < deadline {
      try kill(members, of: folder)
      // A process frozen by version 1 dies only when it is thawed. By now all of them are to die.
      try setFrozen(false)
      usleep(1000)
      members = try processes()
    }
    try setFrozen(false)
    if !members.isEmpty {
      throw KernelError("kill", folder, errno: .resourceBusy, detail: "processes keep coming, or cannot end")
    }
  }

  /// Through descriptors, and only those that still are members once these are held. A few at a time: a group may have more
  /// members than this process has numbers for.
  private func kill(_ members: [Int32], of folder: String) throws(KernelError) {
    for start in stride(from: 0, to: members.count, by: Self.heldAtOnce) {
      var held: [(pid: Int32, descriptor: HeldProcess)] = []
      for pid in members[start..<min(start + Self.heldAtOnce, members.count)] {
        if case .some(let pidfd) = try ProcessIdentity.descriptor(of: pid) { held.append((pid, HeldProcess(pidfd))) }
      }
      let current = Set(try ControlGroupFile.processes(in: folder))
      for (pid, process) in held where current.contains(pid) { try? ProcessHandle.send(SIGKILL, to: process.pidfd) }
    }
  }

  private static let heldAtOnce = 256

  /// - Returns: false when there is no such file.
  private func writeIfThere(_ path: String, _ text: String) throws(KernelError) -> Bool {
    do {
      try ControlGroupFile.write(path, text)
      return true
    } catch {
      if error.errno == .noSuchFileOrDirectory || error.errno == .operationNotSupportedByDevice { return false }
      throw error
    }
  }

  // MARK: Freezing

  /// The file that freezes and thaws, and what to write to it.
  private var freezer: (file: String, frozen: String, thawed: String)? {
    if let tree = groups.unified { return ("\(folder(in: tree))/cgroup.freeze", "1", "0") }
    return groups.legacy[.freezer].map { ("\(folder(in: $0))/freezer.state", "FROZEN", "THAWED") }
  }

  private func setFrozen(_ frozen: Bool) throws(KernelError) {
    guard let freezer else { return }
    _ = try writeIfThere(freezer.file, frozen ? freezer.frozen : freezer.thawed)
  }

  /// True if all of its processes stand still.
  public func isFrozen() throws(KernelError) -> Bool {
    if let tree = groups.unified {
      let events = try ControlGroupFile.read("\(folder(in: tree))/cgroup.events") ?? ""
      return ControlGroupFile.value(of: "frozen", in: events) == 1
    }
    guard let freezer else { return false }
    return try ControlGroupFile.read(freezer.file)?.hasPrefix("FROZEN") ?? false
  }

  /// Has all of its processes stand still, and returns once they do. EBUSY when they do not within five seconds: a process
  /// in the middle of a system call that cannot be interrupted; then they go on.
  public func freeze() throws(KernelError) {
    guard let freezer, let folder else {
      throw KernelError(
        "pause", path, errno: .notSupported, detail: "this host has no cgroups that can freeze",
        remedy: "mount the version 2 tree: mount -t cgroup2 none /sys/fs/cgroup")
    }
    try ControlGroupFile.write(freezer.file, freezer.frozen)
    var wait: UInt32 = 200
    var waited: UInt32 = 0
    while try !isFrozen() {
      guard waited < 5_000_000 else {
        try thaw()
        throw KernelError("pause", folder, errno: .resourceBusy, detail: "its processes do not stand still")
      }
      usleep(wait)
      waited += wait
      wait = min(wait * 2, 50_000)
      // Version 1 tries once for each write, while what is being forked gets away.
      if groups.unified == nil { try setFrozen(true) }
    }
  }

  /// Lets its processes go on. Nothing to do for a group that is not frozen, or not there.
  public func thaw() throws(KernelError) { try setFrozen(false) }
}

/// A process whose number is not given to another meanwhile.
private final class HeldProcess {
  let pidfd: Descriptor

  init(_ pidfd: consuming Descriptor) {
    self.pidfd = pidfd
  }
}
