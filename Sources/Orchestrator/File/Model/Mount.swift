extension StackFile {
  /// Something mounted into a service's root.
  struct Mount: Sendable, Equatable {
    enum Source: Sendable, Hashable {
      /// An absolute path of the host. With `creates`, a folder is made there if nothing is.
      case bind(path: String, creates: Bool)
      /// A key under `volumes:`.
      case volume(String)
      /// A volume without a name, which goes with its service.
      case anonymous
      case tmpfs(Tmpfs)
    }

    var source: Source
    /// Absolute, without `.`, `..`, doubled or trailing slashes; never `/`.
    var target: Located<String>
    var isReadOnly = false
    /// The entry in the file.
    var span: Span

    static func == (left: Self, right: Self) -> Bool {
      left.source == right.source && left.target == right.target && left.isReadOnly == right.isReadOnly
    }
  }

  /// A file system in memory. Always nosuid and nodev.
  struct Tmpfs: Sendable, Hashable {
    /// In bytes. Nil: the kernel's own limit, half of the memory.
    var size: UInt64?
    /// Permission bits of its root. Nil: 0o1777.
    var mode: UInt16?
    var user: UInt32?
    var group: UInt32?
    var isExecutable = false
  }
}
