import Intent

/// The folders of the host that a stack's services can write to by their binds.
struct SharedFolders {
  private let paths: Set<String>

  init(_ services: [DesiredService]) {
    paths = Set(services.flatMap(\.mounts).filter { !$0.isReadOnly }.compactMap(\.hostPath))
  }

  /// Tells each root and each mount which of them its folder lies in.
  func note(in services: inout [DesiredService]) {
    guard !paths.isEmpty else { return }
    for service in services.indices {
      services[service].sharedFolderOfRoot = services[service].root.folder.flatMap(outermost)
      for mount in services[service].mounts.indices {
        services[service].mounts[mount].sharedFolder = services[service].mounts[mount].hostPath.flatMap(outermost)
      }
    }
  }

  private func outermost(above path: String) -> String? {
    path.indices.filter { path[$0] == "/" }.map { String(path[..<$0]) }.first(where: paths.contains)
  }
}
