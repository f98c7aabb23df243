import FoundationEssentials
import ImageFormat
import ImageReference
import ImageStore
import Vocabulary

/// An image with the fields of `docker image inspect`.
package struct InspectedImage: Encodable, Sendable {
  private var id: String
  private var tags: [String]
  private var digests: [String]
  private var created: String
  private var architecture: String
  private var variant: String
  private var os: String
  private var size: Int64
  private var config: ImageConfiguration.Process
  private var root: Root

  private struct Root: Encodable, Sendable {
    var type = "layers"
    var layers: [String]

    enum CodingKeys: String, CodingKey {
      case type = "Type"
      case layers = "Layers"
    }
  }

  enum CodingKeys: String, CodingKey {
    case id = "Id"
    case tags = "RepoTags"
    case digests = "RepoDigests"
    case created = "Created"
    case architecture = "Architecture"
    case variant = "Variant"
    case os = "Os"
    case size = "Size"
    case config = "Config"
    case root = "RootFS"
  }

  init(_ image: ImageCommand.ImageStatus, _ configuration: ImageConfiguration) {
    id = "\(image.record.configuration)"
    // Names of folders, archives and other stores are no tags of a registry's.
    let names = image.names.compactMap { name in
      (try? ImageReference(name.name)).map { (reference: $0, digest: name.digest) }
    }
    tags = names.filter { $0.reference.digest == nil }.map(\.reference.familiar)
    digests = Set(names.map { "\($0.reference.familiarRepository)@\($0.digest)" }).sorted()
    created = configuration.created ?? ""
    let platform = configuration.platform
    (os, architecture, variant) = (platform.os, platform.architecture, platform.variant)
    size = image.record.size
    config = configuration.config ?? ImageConfiguration.Process()
    root = Root(layers: image.record.layers.map { "\($0.content)" })
  }
}

extension ImageCommand {
  /// Images as Docker describes them: one JSON array.
  package func inspectImages(_ names: [String]) throws(StackErrors) -> String {
    var inspected: [InspectedImage] = []
    for name in names {
      let image = try image(name)
      do throws(ImageFormatError) {
        inspected.append(InspectedImage(image, try ImageConfiguration(try bytes(of: image))))
      } catch {
        throw StackErrors([StackError(nil, "image \(name): the configuration \(error)")])
      }
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // Texts and numbers can always be encoded.
    return (try? encoder.encode(inspected)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
  }

  private func bytes(of image: ImageStatus) throws(ImageFormatError) -> [UInt8] {
    guard let bytes = try? configuration(of: image) else { throw ImageFormatError("cannot be read") }
    return bytes
  }
}
