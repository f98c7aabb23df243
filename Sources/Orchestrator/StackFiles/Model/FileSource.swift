extension StackFile {
  /// A secret or a config: contents that services get as a file.
  package struct FileSource: Named, Sendable, Equatable {
    /// The key under `secrets:` or `configs:`, which is how services refer to it.
    package var name: Located<String>
    /// Nil for one that could not be read, which has been reported.
    var origin: Origin?
    var labels: [Label] = []

    package enum Origin: Sendable, Hashable {
      /// A file of the host: its absolute path.
      case file(String)
      /// Text of the stack file.
      case text(String)
      /// The value of a variable. What shows the file shows the variable's name alone.
      case variable(String, value: String)
    }

    init(name: Located<String>) { self.name = name }
  }

  /// A service's use of a secret or a config.
  package struct FileUse: Sendable, Equatable {
    package enum Kind: String, Sendable {
      case secret, config

      /// The folder of targets that are relative.
      var folder: String {
        switch self {
        case .secret: "/run/secrets"
        case .config: "/"
        }
      }
    }

    var kind: Kind
    var source: Located<String>
    /// Absolute.
    var target: String
    var user: UInt32?
    var group: UInt32?
    /// Permission bits. Nil: 0o444.
    var mode: UInt16?

    init(_ kind: Kind, _ source: Located<String>) {
      (self.kind, self.source) = (kind, source)
      target = Path.normalized("\(kind.folder)/\(source.value)")
    }
  }

  /// A file that is made for a service.
  package struct FileContents: Sendable, Hashable {
    package var text: String
    package var mode: UInt16
    package var user: UInt32
    package var group: UInt32
  }

  /// An item of `volumes_from:`.
  package struct VolumesFrom: Sendable, Equatable {
    var service: Located<String>
    var isReadOnly = false
  }

  /// An item of a service's `links:` or `external_links:`.
  package struct NamedLink: Sendable, Hashable {
    /// The service, or the name of a container.
    package var target: Located<String>
    /// Nil: the target's own name.
    package var alias: Located<String>?
    /// True if the target may be of another stack.
    package var isExternal = false
  }

  /// One rule of `develop: watch:`.
  package struct WatchRule: Sendable, Equatable {
    package enum Action: String, Sendable, CaseIterable {
      case sync, rebuild, restart
      case syncAndRestart = "sync+restart"
      case syncAndExecute = "sync+exec"
    }

    /// Absolute path of the host.
    package var path: Located<String>
    package var action: Action
    /// The path inside the service that files are copied to. Given where the action copies.
    package var target: String?
    /// Patterns of .dockerignore(5), from the path.
    package var ignored: [String] = []
    /// Patterns of which one must match. Empty: all files count.
    package var included: [String] = []
    package var syncsFirst = false
    /// The command that runs in the service after files were copied.
    package var hook: Hook?
  }
}

extension StackFile {
  /// Services with all mounts that they have: their own, their secrets and configs, and those of `volumes_from`.
  ///
  /// - Parameter services: the ones that run, in any order. Mounts that were added before are worked out again.
  package func withAllMounts(_ services: [Service]) -> [Service] {
    let hasOthers = services.contains { service in
      !service.files.isEmpty || !service.volumesFrom.isEmpty || service.mounts.contains(where: \.isDerived)
    }
    guard hasOthers else { return services }
    var done: [String: Service] = [:]
    let given = Dictionary(services.map { ($0.name.value, $0) }) { first, _ in first }
    func complete(_ name: String, _ path: Set<String>) -> Service? {
      if let known = done[name] { return known }
      guard var service = given[name] ?? self.services[name], !path.contains(name) else { return nil }
      service.mounts.removeAll(where: \.isDerived)
      var targets = Set(service.mounts.map(\.target.value))
      for mount in mounts(for: service.files) where targets.insert(mount.target.value).inserted {
        service.mounts.append(mount)
      }
      for source in service.volumesFrom {
        for var mount in complete(source.service.value, path.union([name]))?.mounts ?? [] {
          guard targets.insert(mount.target.value).inserted else { continue }
          if mount.source == .anonymous { mount.source = .anonymousOf(source.service.value) }
          mount.isReadOnly = mount.isReadOnly || source.isReadOnly
          (mount.isDerived, mount.span) = (true, source.service.span)
          service.mounts.append(mount)
        }
      }
      done[name] = service
      return service
    }
    return services.map { complete($0.name.value, []) ?? $0 }
  }

  private func mounts(for uses: [FileUse]) -> [Mount] {
    uses.compactMap { use in
      let declared = use.kind == .secret ? secrets[use.source.value] : configs[use.source.value]
      let source: Mount.Source
      switch declared?.origin {
      case .file(let path): source = .bind(path: path, creates: false)
      case .text(let text), .variable(_, let text):
        source = .contents(
          FileContents(text: text, mode: use.mode ?? 0o444, user: use.user ?? 0, group: use.group ?? 0))
      case nil: return nil
      }
      var mount = Mount(
        source: source, target: Located(use.target, use.source.span), isReadOnly: true, span: use.source.span)
      (mount.isDerived, mount.fileKind) = (true, use.kind)
      return mount
    }
  }
}
