import Vocabulary

/// A folder or file of the host, a volume, or a tmpfs that a service sees at a path of its own.
package struct DesiredMount: Codable, Hashable, Sendable {
  package enum Source: Codable, Hashable, Sendable {
    case folder(String, createIfMissing: Bool)
    case volume(String)
    /// A volume of this service alone, gone with it.
    case anonymous
    /// Size in bytes, mode in octal notation's value.
    case tmpfs(size: UInt64?, mode: UInt32?)
    /// The volume without a name that another service, by its instance's name, has at the same target.
    case anonymousOf(String)
    /// A file with these contents, permission bits and ids of inside.
    case contents(String, mode: UInt32, user: UInt32, group: UInt32)
  }
  package var source: Source
  package var target: String
  package var isReadOnly: Bool
  /// True if an empty volume takes over nothing of the folder that it covers.
  @Sparse package var staysEmpty = false
  /// True for a volume without a name that other services have too: it lies where they find it.
  @Sparse package var isLent = false
  /// The folder of the volume, where it is another than the stack's own of that name.
  package var volumeFolder: String?
  /// The part of a volume that is mounted in place of the whole.
  package var subpath: String?
  /// True if mounts that the host makes below the source appear inside.
  @Sparse package var followsHost = false
  @Sparse package var tmpfs = DesiredTmpfs()
  package var declaredAt: SourceLine?
  /// The outermost folder of the host that contains the source and that services can write to; nil if there is none.
  package var sharedFolder: String?

  package init(source: Source, target: String, isReadOnly: Bool, declaredAt: SourceLine? = nil) {
    self.source = source
    self.target = target
    self.isReadOnly = isReadOnly
    self.declaredAt = declaredAt
  }

  /// The mount, wherever it is declared, if that was recorded at all, and whoever else has a mount.
  var unplaced: DesiredMount {
    var bare = self
    (bare.declaredAt, bare.sharedFolder) = (nil, nil)
    return bare
  }

  /// True for what outlives a start of the service.
  package var isVolume: Bool {
    switch source {
    case .volume, .anonymous, .anonymousOf: true
    case .folder, .tmpfs, .contents: false
    }
  }

  /// The folder or file of the host.
  package var hostPath: String? {
    guard case .folder(let path, _) = source else { return nil }
    return path
  }
}

/// A tmpfs beside its size and its mode.
package struct DesiredTmpfs: Usual, Sendable {
  /// The owner of its root, as the service sees it. nil for its root.
  package var user: UInt32?
  package var group: UInt32?
  package var isExecutable = false
  /// Further options, as mount(8) takes them.
  package var options: [String] = []

  package init() {}

  package init(user: UInt32?, group: UInt32?, isExecutable: Bool, options: [String]) {
    (self.user, self.group, self.isExecutable, self.options) = (user, group, isExecutable, options)
  }
}

extension [DesiredMount] {
  /// True if a service that is made anew would see the same under both lists.
  ///
  /// A mount is made before those below it, whatever the order of the list. Earlier releases recorded another order, and
  /// what they started runs on. Only two mounts with one target have an order: the later one covers the other.
  func showsSame(as other: [DesiredMount]) -> Bool {
    let (mine, others) = (map(\.unplaced), other.map(\.unplaced))
    guard Set(mine.map(\.target)).count == mine.count else { return mine == others }
    return mine.count == others.count && Set(mine) == Set(others)
  }
}
