import SystemPackage

/// One container as it is to be made. Paths are the host's unless said otherwise; descriptors are on loan and must stay
/// open until the launch has returned.
public struct ContainerSpec: Sendable {
  /// At most 64 bytes.
  public var hostname: String
  public var domainname: String?
  /// The network namespace to join. `nil` stays in the caller's.
  public var networkNamespace: FileDescriptor?
  /// The ids of its users outside; `nil` for the same as inside. Its network namespace should be owned by the user
  /// namespace.
  public var identities: ContainerIdentities?
  public var root: ContainerRoot
  /// The root itself becomes read-only once all is set up; mounts on it keep their own mode.
  public var readOnlyRoot = false
  /// The mounts, in order. One at `/tmp` or `/dev/shm` replaces the private tmpfs there.
  public var mounts: [ContainerMount] = []
  public var process: ContainerProcess
  public var stdio = ContainerStdio()
  public var settings = ContainerSettings()
  /// stack-init as process 1, and the command as its child. Otherwise the command is process 1.
  public var usesInit = true
  /// True if it ends when the thread that launches it ends, whatever that dies of (PR_SET_PDEATHSIG in prctl(2)).
  public var endsWithCaller = false
  /// A file, opened for writing, that stack-init leaves its ``ExitRecord`` in.
  public var exitRecord: FileDescriptor?

  public init(hostname: String, root: ContainerRoot, process: ContainerProcess) {
    self.hostname = hostname
    self.root = root
    self.process = process
  }
}

/// The root file system of a container.
public enum ContainerRoot: Sendable {
  /// The lower folders, the first on top, unchanged under a writable layer. `work` is an empty folder on the file system
  /// of `upper` (overlayfs in the kernel's documentation).
  case overlay(lower: [String], upper: String, work: String)
  /// The same with lower folders that are named relative to one folder and on its file system: an image's may be 500.
  case layered(within: String, lower: [String], upper: String, work: String)
  /// The folder itself: what the container writes stays in it.
  case direct(String)
  /// Layers under one that is being made.
  case step(StepRoot)
}

/// Something mounted inside the container.
public struct ContainerMount: Sendable {
  public enum Source: Sendable {
    /// A folder or a file of the host's.
    case path(String)
    case descriptor(FileDescriptor)
    /// `size` in bytes.
    case tmpfs(size: UInt64?, mode: UInt16)
  }

  /// The idmapping of a mount (MOUNT_ATTR_IDMAP in mount_setattr(2)). It gives files inside the ids that they have on
  /// disk. Without it, they belong to nobody inside.
  public enum IdentityMapping: Sendable {
    case needed
    /// Not on a file system that cannot: NFS and /proc are two.
    case whenPossible
    /// The files have the ids of outside.
    case none
  }

  public var source: Source
  /// Of a descriptor: the mount that it is in, if that is in no mount namespace. A part of such a mount can be copied only from
  /// Linux 6.15 on, so the container's namespace takes the whole of it along, beneath the root and out of reach.
  public var carrier: FileDescriptor?
  /// Counts with ``ContainerSpec/identities`` alone.
  public var identityMapping = IdentityMapping.needed
  /// Inside the container. It is made when missing, and no link on the way to it leads out of the root.
  public var target: String
  public var readOnly = false
  /// True to include the mounts below the source.
  public var recursive = false
  /// True if nosuid and nodev of the host's mount do not hold inside, since the mount is the container's own.
  public var isOwn = false
  public var noSuid = false
  public var noDev = false
  public var noExec = false
  /// Of a tmpfs: the owner of its root, as the container sees it. nil for root.
  public var owner: (user: UInt32?, group: UInt32?) = (nil, nil)
  /// Of a tmpfs: further options as mount(2) takes them.
  public var options: [String] = []
  /// Of a tmpfs: true for noatime.
  public var keepsAccessTimes = false
  /// Of a bind: true if mounts that the host makes below the source later appear inside.
  public var followsHost = false

  public init(_ source: Source, at target: String, readOnly: Bool = false) {
    self.source = source
    self.target = target
    self.readOnly = readOnly
  }

  /// A folder or file of the host's.
  public static func bind(
    _ path: String, at target: String, readOnly: Bool = false, recursive: Bool = false
  ) -> ContainerMount {
    var mount = ContainerMount(.path(path), at: target, readOnly: readOnly)
    mount.recursive = recursive
    return mount
  }

  /// A tmpfs with nosuid and nodev.
  public static func tmpfs(at target: String, size: UInt64? = nil, mode: UInt16 = 0o1777) -> ContainerMount {
    var mount = ContainerMount(.tmpfs(size: size, mode: mode), at: target)
    mount.noSuid = true
    mount.noDev = true
    return mount
  }
}

/// The targets of the command's three standard descriptors.
public struct ContainerStdio: Sendable {
  public enum Stream: Sendable {
    /// /dev/null of the host.
    case null
    case descriptor(FileDescriptor)
    /// A FIFO of the host's, opened for both directions, so that it outlives its reader.
    case fifo(String)
  }

  public var input = Stream.null
  public var output = Stream.null
  public var error = Stream.null
  /// A terminal of the container's own takes the place of all three.
  public var terminal = false

  public init() {}
}
