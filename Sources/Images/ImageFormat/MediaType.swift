/// Media types of manifests (OCI image specification, media-types.md; Docker's image manifest version 2, schema 2).
package enum MediaType {
  package static let index = "application/vnd.oci.image.index.v1+json"
  package static let manifest = "application/vnd.oci.image.manifest.v1+json"
  package static let configuration = "application/vnd.oci.image.config.v1+json"
  package static let dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"
  package static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
  package static let dockerConfiguration = "application/vnd.docker.container.image.v1+json"
  static let schema1 = [
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
  ]
  package static let layer = "application/vnd.oci.image.layer.v1.tar"

  package static let accepted = [manifest, index, dockerManifest, dockerList]

  /// Without parameters, in lower case: `application/json; charset=utf-8` is `application/json`.
  package static func plain(_ text: String) -> String {
    let type = text.split(separator: ";", maxSplits: 1).first ?? ""
    return type.lowercased().filter { !$0.isWhitespace }
  }

  /// True if layers of the type are archives. An empty type is of an old archive.
  static func isLayer(_ type: String) -> Bool {
    let oci = "application/vnd.oci.image.layer.", docker = "application/vnd.docker.image.rootfs."
    return type.isEmpty || type.hasPrefix(oci) || type.hasPrefix(docker)
  }
}
