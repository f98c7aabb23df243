import CLinux
import Glibc
import Isolation
import Kernel
import SystemPackage

/// Kernel settings of one container, beyond its namespaces and mounts.
public struct ContainerSettings: Sendable {
  public var limits: [ProcessLimit] = []
  /// Bytes that /dev/shm holds. Nil: 64 MiB.
  public var sharedMemorySize: UInt64?
  /// Bytes that /tmp holds, and any other tmpfs that says nothing of its own. Nil: half of the host's memory.
  public var temporarySize: UInt64?
  /// Of the container's own network and ipc namespaces, by the path below /proc/sys.
  public var kernelParameters: [(path: String, value: String)] = []
  /// Whether its network namespace is no longer the host's. Then a container that has NET_ADMIN may write to /proc/sys/net:
  /// the kernel shows it the parameters of that namespace there, and no others (net/sysctl_net.c).
  public var hasOwnNetwork = false
  /// Devices below /dev, beside the usual.
  public var devices: [ContainerDevice] = []
  /// Names or numbers.
  public var groups: [String] = []
  public var ipc = Namespace.own
  public var pid = Namespace.own
  /// The host's own host name, which the container then cannot have one beside.
  public var usesHostNames = false
  public var timeOffsets: TimeOffsets?
  /// The process whose container's /dev/shm this one sees too.
  public var sharedMemoryOf: FileDescriptor?
  /// The trees at /sys/fs/cgroup: that of version 2 alone, or several, each in a folder.
  public var controlGroups: [ControlGroupTree] = []

  /// In which namespace of a kind the container is.
  public enum Namespace: Sendable {
    case own
    /// The caller's.
    case host
    /// That of the process behind a pidfd.
    case process(FileDescriptor)
  }

  public init() {}
}

/// A device node of the host's, made once more in a container.
public struct ContainerDevice: Hashable, Sendable {
  /// Below /dev: `net/tun`.
  public var name: String
  /// Type and permissions, as stat(2) has them.
  public var mode: UInt32
  public var number: UInt64

  public init(name: String, mode: UInt32, number: UInt64) {
    self.name = name
    self.mode = mode
    self.number = number
  }
}

extension CloneFlag {
  static let time: UInt64 = 0x80
}

extension Program {
  /// Its own time namespace: what is executed, and its children, are in it. To be called where the host's /proc is.
  mutating func offsetClocks(by offsets: TimeOffsets?) throws(KernelError) {
    guard let offsets else { return }
    try add(STACK_OP_UNSHARE, for: "make", "a time namespace", flags: CloneFlag.time)
    try add(
      STACK_OP_WRITE, for: "set", "the clocks of the time namespace", path: "/proc/self/timens_offsets",
      text: "monotonic \(offsets.monotonic) 0\nboottime \(offsets.boot) 0\n")
  }

  /// To be called while /proc/sys can still be written to, and in the namespaces that the parameters belong to.
  mutating func set(_ parameters: [(path: String, value: String)]) throws(KernelError) {
    for (path, value) in parameters {
      try add(STACK_OP_WRITE, for: "set the sysctl", path, path: "/proc/sys/\(path)", text: value)
    }
  }

  /// Opens the /dev/shm of the container that a process is in: from inside, where no link leads out.
  mutating func openSharedMemory(of pidfd: FileDescriptor?) throws(KernelError) -> Handle? {
    guard let pidfd else { return nil }
    let (home, homeSlot) = newSlot()
    let (memory, slot) = newSlot()
    try add(STACK_OP_OPEN, for: "open", "the mount namespace", slot: homeSlot, path: "/proc/self/ns/mnt")
    try add(STACK_OP_SETNS, for: "enter", "the other service", .init(pidfd), flags: CloneFlag.mount)
    try add(STACK_OP_OPEN_TREE, for: "share", "/dev/shm", .currentFolder, slot: slot, path: "/dev/shm")
    try add(STACK_OP_SETNS, for: "leave", "the other service", home, flags: CloneFlag.mount)
    return memory
  }

  /// Makes device nodes below a /dev that holds nothing of anybody else's yet.
  mutating func make(_ devices: [ContainerDevice], in dev: Handle) throws(KernelError) {
    for device in devices {
      var folder = dev
      let parts = device.name.split(separator: "/").map(String.init)
      if parts.count > 1 {
        let (handle, slot) = newSlot()
        let path = parts.dropLast().joined(separator: "/")
        try add(STACK_OP_TARGET, for: "make", "/dev/\(path)", dev, slot: slot, path: path)
        folder = handle
      }
      try add(
        STACK_OP_MKNOD, for: "make", "/dev/\(device.name)", folder, flags: UInt64(device.mode), number: device.number,
        path: parts.last ?? device.name)
    }
  }
}

extension Credentials {
  /// With further groups, looked up in /etc/group below `root`.
  func joining(_ names: [String], root: FileDescriptor) throws(KernelError) -> Credentials {
    var credentials = self
    for name in names {
      // As for a user's own group, and the user does not matter.
      let gid = try Credentials.resolve("0:\(name)", root: root).gid
      if !credentials.groups.contains(gid) { credentials.groups.append(gid) }
    }
    return credentials
  }
}
