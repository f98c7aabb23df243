/// The image that a service runs from.
package struct DesiredImage: Codable, Hashable, Sendable {
  /// As the file names it: `nginx:alpine`.
  package var name: String
  /// The digest of its manifest: `sha256:…`.
  package var digest: String
  /// The numbers of its layers' folders in the store, the topmost first.
  package var layers: [Int]

  package init(name: String, digest: String, layers: [Int]) {
    (self.name, self.digest, self.layers) = (name, digest, layers)
  }
}

extension DesiredService {
  package var image: DesiredImage? {
    if case .image(let image) = root { image } else { nil }
  }
}
