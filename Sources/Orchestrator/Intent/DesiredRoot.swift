/// The file system a service sees at `/`.
package enum DesiredRoot: Codable, Hashable, Sendable {
  /// The host's /usr, read-only, under a private root with a writable layer.
  case host
  /// A writable layer over a folder, which stays as it is.
  case overlay(folder: String)
  /// The folder itself: what the service writes stays in it.
  case direct(folder: String)
  /// A writable layer over those of an image.
  case image(DesiredImage)

  /// Of the stack file; nil for the host's.
  package var folder: String? {
    switch self {
    case .host, .image: nil
    case .overlay(let folder), .direct(let folder): folder
    }
  }
}
