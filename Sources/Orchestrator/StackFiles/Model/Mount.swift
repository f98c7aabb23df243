extension StackFile {
  /// Something mounted into a service's root.
  package struct Mount: Sendable, Equatable {
    package enum Source: Sendable, Hashable {
      /// An absolute path of the host. With `creates`, a folder is made there if nothing is.
      case bind(path: String, creates: Bool)
      /// A key under `volumes:`.
      case volume(String)
      /// A volume without a name, which goes with its service.
      case anonymous
      case tmpfs(Tmpfs)
      /// A volume without a name of another service, at the same target.
      case anonymousOf(String)
      /// A file that is made for the service.
      case contents(FileContents)
    }

    package var source: Source
    /// Absolute, without `.`, `..`, doubled or trailing slashes; never `/`.
    package var target: Located<String>
    package var isReadOnly = false
    /// False if an empty volume takes over nothing of the folder that it covers.
    package var takesOver = true
    /// The folder or file of a volume that is mounted in place of the whole: relative, without `..`.
    package var subpath: String?
    /// True if it follows from other keys of the service than those for mounts.
    var isDerived = false
    /// The kind of the file that it is, if `secrets:` or `configs:` gives it.
    package var fileKind: FileUse.Kind?
    /// True if mounts that the host makes below the source later appear inside.
    package var followsHost = false
    /// The entry in the file.
    package var span: Span

    package static func == (left: Self, right: Self) -> Bool {
      left.source == right.source && left.target == right.target && left.isReadOnly == right.isReadOnly
        && left.takesOver == right.takesOver && left.subpath == right.subpath && left.followsHost == right.followsHost
    }
  }

  /// A file system in memory. Always nosuid and nodev.
  package struct Tmpfs: Sendable, Hashable {
    /// In bytes. Nil: the kernel's own limit, half of the memory.
    package var size: UInt64?
    /// Permission bits of its root. Nil: 0o1777.
    package var mode: UInt16?
    package var user: UInt32?
    package var group: UInt32?
    package var isExecutable = false
    /// Further options of tmpfs(5), as mount(2) takes them: `nr_inodes=10k`, `size=50%`.
    package var options: [String] = []
    /// True if reading a file leaves its time of access alone.
    package var keepsAccessTimes = false
  }
}
