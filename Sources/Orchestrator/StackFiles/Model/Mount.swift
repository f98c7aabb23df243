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
    }

    package var source: Source
    /// Absolute, without `.`, `..`, doubled or trailing slashes; never `/`.
    package var target: Located<String>
    package var isReadOnly = false
    /// False if an empty volume takes over nothing of the folder that it covers.
    package var takesOver = true
    /// The entry in the file.
    package var span: Span

    package static func == (left: Self, right: Self) -> Bool {
      left.source == right.source && left.target == right.target && left.isReadOnly == right.isReadOnly
        && left.takesOver == right.takesOver
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
  }
}
