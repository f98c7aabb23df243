/// The source of an image, as `image:` and `stack pull` take it.
package enum ImageSource: Hashable, Sendable {
  /// A registry.
  case registry(ImageReference)
  /// A folder of the OCI image layout: `oci:./folder[:name]`. The path is as it is written.
  case layout(path: String, name: String?)
  /// A file of `docker save`: `docker-archive:./file.tar[:name]`.
  case archive(path: String, name: String?)
  /// An image of a Docker on this host: `docker-daemon:name`, or `docker-daemon:` and an id.
  case daemon(name: String)
  /// An image of a Podman on this host: `containers-storage:name`, or `containers-storage:` and an id.
  case storage(name: String)

  private static let daemonPrefix = "docker-daemon:"
  private static let storagePrefix = "containers-storage:"
  private static let layoutPrefix = "oci:"
  private static let archivePrefix = "docker-archive:"

  package init(_ text: String) throws(ImageReferenceError) {
    for (prefix, isLayout) in [(Self.layoutPrefix, true), (Self.archivePrefix, false)] where text.hasPrefix(prefix) {
      let (path, name) = Self.place(text.dropFirst(prefix.count))
      guard !path.isEmpty else {
        throw ImageReferenceError(text, "names no \(isLayout ? "folder" : "file")", "write \(prefix)./path")
      }
      self = isLayout ? .layout(path: path, name: name) : .archive(path: path, name: name)
      return
    }
    if text.hasPrefix(Self.daemonPrefix) {
      let name = text.dropFirst(Self.daemonPrefix.count)
      self = .daemon(name: try Self.reference(name, of: text, Self.daemonPrefix)?.familiar ?? String(name))
      return
    }
    if text.hasPrefix(Self.storagePrefix) {
      let name = text.dropFirst(Self.storagePrefix.count)
      // Podman tells docker.io's names from short ones, which it also looks for under localhost.
      _ = try Self.reference(name, of: text, Self.storagePrefix)
      self = .storage(name: String(name))
      return
    }
    self = .registry(try ImageReference(text))
  }

  /// The name of an image of this host; nil for an id.
  private static func reference(
    _ text: Substring, of whole: String, _ prefix: String
  ) throws(ImageReferenceError) -> ImageReference? {
    let digits = text.hasPrefix("sha256:") ? text.dropFirst(7) : text
    if (12...64).contains(digits.utf8.count), ContentDigest.isHex(digits) { return nil }
    guard !text.isEmpty else { throw ImageReferenceError(whole, "names no image", "write \(prefix)name") }
    return try ImageReference(String(text))
  }

  /// A path, and behind the colon that follows its last slash the name of an image in it.
  private static func place(_ text: Substring) -> (path: String, name: String?) {
    let start = text.lastIndex(of: "/") ?? text.startIndex
    guard let colon = text[start...].firstIndex(of: ":") else { return (String(text), nil) }
    let name = text[text.index(after: colon)...]
    return (String(text[..<colon]), name.isEmpty ? nil : String(name))
  }

  /// The same with a path that `resolve` has made absolute.
  package func mapPath(_ resolve: (String) -> String) -> ImageSource {
    switch self {
    case .registry, .daemon, .storage: self
    case .layout(let path, let name): .layout(path: resolve(path), name: name)
    case .archive(let path, let name): .archive(path: resolve(path), name: name)
    }
  }

  package var path: String? {
    switch self {
    case .registry, .daemon, .storage: nil
    case .layout(let path, _), .archive(let path, _): path
    }
  }
}

extension ImageSource: CustomStringConvertible {
  package var description: String {
    switch self {
    case .registry(let reference): reference.familiar
    case .daemon(let name): "\(Self.daemonPrefix)\(name)"
    case .storage(let name): "\(Self.storagePrefix)\(name)"
    case .layout(let path, let name): "\(Self.layoutPrefix)\(path)\(name.map { ":\($0)" } ?? "")"
    case .archive(let path, let name): "\(Self.archivePrefix)\(path)\(name.map { ":\($0)" } ?? "")"
    }
  }
}
