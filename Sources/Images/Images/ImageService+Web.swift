import Registry

extension ImageService {
  /// Fetches a file of the web, in a process that is shut in as one for a registry is.
  ///
  /// - Parameters:
  ///   - reachesHost: false refuses addresses of this host's loopback and link-local ones.
  ///   - take: gets the file piece by piece, and answers whether to go on.
  /// - Throws: what the server or the way to it refused.
  package func fetch(
    _ address: String, reachesHost: Bool, isStopped: @escaping @Sendable () -> Bool,
    take: @escaping (UnsafeRawBufferPointer) -> Bool
  ) throws(ImageError) -> Download {
    let process = try RegistryProcess(RegistryOrder(file: address), registries, environment: environment)
    let watch = RequestWatch(isStopped: isStopped, notify: { _ in })
    return try process.file(address, reachesHost: reachesHost, watch, take: take)
  }
}
