import FoundationEssentials
import ImageReference

/// A registry's answer for the name of an image.
package enum ManifestDocument: Hashable, Sendable {
  case image(ImageManifest)
  case index(ImageIndex)

  /// The most that a manifest or a configuration may have, in bytes.
  package static let limit = 4 << 20
  /// Docker takes 125, the kernel 500 (overlayfs.rst).
  package static let mostLayers = 500

  /// - Parameter type: what the registry said that it is; nil where nobody did.
  package init(_ bytes: [UInt8], type: String?) throws(ImageFormatError) {
    guard bytes.count <= Self.limit else {
      throw ImageFormatError("has \(bytes.count) bytes, and at most \(Self.limit) are read")
    }
    let keys: Keys
    do {
      keys = try JSONDecoder().decode(Keys.self, from: Data(bytes))
    } catch {
      throw ImageFormatError("is no JSON of a manifest")
    }
    let type = type.map(MediaType.plain).flatMap { $0.isEmpty || !$0.hasPrefix("application/vnd.") ? nil : $0 }
    let declared = keys.mediaType.map(MediaType.plain).flatMap { $0.isEmpty ? nil : $0 }
    guard keys.schemaVersion != 1, !MediaType.schema1.contains(type ?? ""), keys.fsLayers == nil else {
      throw ImageFormatError(
        "is of Docker's schema 1, which nothing can be checked in",
        remedy: "pull and push it with a Docker of version 20 or newer, which writes schema 2")
    }
    // One document that is read as two things by two programs (CVE-2021-41190).
    guard keys.manifests == nil || keys.config == nil && keys.layers == nil else {
      throw ImageFormatError("is an image and a list of images at once")
    }
    if let type, let declared, type != declared {
      throw ImageFormatError("says that it is \(declared), and the registry says \(type)")
    }
    let isList = keys.manifests != nil
    if let named = declared ?? type {
      let isNamedList = [MediaType.index, MediaType.dockerList].contains(named)
      guard isNamedList || [MediaType.manifest, MediaType.dockerManifest].contains(named) else {
        throw ImageFormatError("is not of an image: \(named.prefix(150))")
      }
      guard isNamedList == isList else { throw ImageFormatError("is not what it says that it is: \(named)") }
    }
    do {
      self =
        isList
        ? .index(try JSONDecoder().decode(ImageIndex.self, from: Data(bytes)))
        : .image(try JSONDecoder().decode(ImageManifest.self, from: Data(bytes)))
    } catch {
      throw ImageFormatError("is damaged: \(Self.words(error))")
    }
    if case .image(let manifest) = self { try Self.check(manifest) }
  }

  private static func check(_ manifest: ImageManifest) throws(ImageFormatError) {
    let type = manifest.config.mediaType.map(MediaType.plain) ?? ""
    guard manifest.artifactType == nil,
      ["", MediaType.configuration, MediaType.dockerConfiguration].contains(type)
    else {
      throw ImageFormatError(
        "is not of an image but of \((manifest.artifactType ?? type).prefix(150))",
        remedy: "name an image that can be run")
    }
    guard manifest.layers.count <= mostLayers else {
      throw ImageFormatError("has \(manifest.layers.count) layers, and at most \(mostLayers) can be mounted")
    }
    for blob in [manifest.config] + manifest.layers where blob.size < 0 {
      throw ImageFormatError("gives \(blob.digest.short) a size of \(blob.size) bytes")
    }
    for layer in manifest.layers where !MediaType.isLayer(layer.mediaType.map(MediaType.plain) ?? "") {
      throw ImageFormatError("has a layer of an unknown kind: \((layer.mediaType ?? "").prefix(150))")
    }
  }

  /// A decoder's objection to it, with the place.
  static func words(_ error: any Error) -> String {
    let context: DecodingError.Context
    switch error as? DecodingError {
    case .dataCorrupted(let found), .typeMismatch(_, let found), .valueNotFound(_, let found): context = found
    case .keyNotFound(let key, _): return "\"\(key.stringValue)\" is missing"
    default: return "it cannot be read"
    }
    let place = context.codingPath.map(\.stringValue).joined(separator: ".")
    return "\"\(place.prefix(150))\": \(context.debugDescription.prefix(200))"
  }

  private struct Keys: Decodable {
    struct Anything: Decodable {}
    var schemaVersion: Int?
    var mediaType: String?
    var config: Anything?
    var layers: Anything?
    var manifests: Anything?
    var fsLayers: Anything?

    enum CodingKeys: String, CodingKey { case schemaVersion, mediaType, config, layers, manifests, fsLayers }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      schemaVersion = try? container.decode(Int.self, forKey: .schemaVersion)
      mediaType = try? container.decode(String.self, forKey: .mediaType)
      func there(_ key: CodingKeys) -> Anything? {
        container.contains(key) && (try? container.decodeNil(forKey: key)) != true ? Anything() : nil
      }
      (config, layers, manifests, fsLayers) = (there(.config), there(.layers), there(.manifests), there(.fsLayers))
    }
  }
}
