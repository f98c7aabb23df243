/// Where an image comes from, as `image:` and `stack pull` take it.
package enum ImageSource: Hashable, Sendable {
  /// A registry.
  case registry(ImageReference)
  /// A folder of the OCI image layout: `oci:./folder[:name]`. The path is as it is written.
  case layout(path: String, name: String?)
  /// A file of `docker save`: `docker-archive:./file.tar[:name]`.
  case archive(path: String, name: String?)

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
    self = .registry(try ImageReference(text))
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
    case .registry: self
    case .layout(let path, let name): .layout(path: resolve(path), name: name)
    case .archive(let path, let name): .archive(path: resolve(path), name: name)
    }
  }

  package var path: String? {
    switch self {
    case .registry: nil
    case .layout(let path, _), .archive(let path, _): path
    }
  }
}

extension ImageSource: CustomStringConvertible {
  package var description: String {
    switch self {
    case .registry(let reference): reference.familiar
    case .layout(let path, let name): "\(Self.layoutPrefix)\(path)\(name.map { ":\($0)" } ?? "")"
    case .archive(let path, let name): "\(Self.archivePrefix)\(path)\(name.map { ":\($0)" } ?? "")"
    }
  }
}
