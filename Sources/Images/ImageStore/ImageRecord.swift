import Digests
import ImageReference

/// An image of the store.
package struct ImageRecord: Codable, Hashable, Sendable {
  /// Of its manifest.
  package var manifest: ContentDigest
  /// Of its configuration: what people know as the image's id.
  package var configuration: ContentDigest
  /// Of the list that the manifest was chosen from.
  package var index: ContentDigest?
  /// `linux/amd64`
  package var platform: String
  /// RFC 3339, as the configuration has it.
  package var created: String?
  /// From the lowest to the topmost.
  package var layers: [Layer]

  package struct Layer: Codable, Hashable, Sendable {
    package var blob: ContentDigest
    package var blobSize: Int64
    package var content: ContentDigest
    /// The chain id of the layer and all below it.
    package var chain: ContentDigest
    /// Its size unpacked, in bytes.
    package var size: Int64
    /// The highest number of a user or group in it.
    package var largestID: UInt32

    package init(
      blob: ContentDigest, blobSize: Int64, content: ContentDigest, chain: ContentDigest, size: Int64, largestID: UInt32
    ) {
      (self.blob, self.blobSize, self.content) = (blob, blobSize, content)
      (self.chain, self.size, self.largestID) = (chain, size, largestID)
    }
  }

  package init(
    manifest: ContentDigest, configuration: ContentDigest, index: ContentDigest?, platform: String, created: String?,
    layers: [Layer]
  ) {
    (self.manifest, self.configuration, self.index) = (manifest, configuration, index)
    (self.platform, self.created, self.layers) = (platform, created, layers)
  }

  package var size: Int64 { layers.reduce(0) { $0 + $1.size } }
  package var largestID: UInt32 { layers.map(\.largestID).max() ?? 0 }
}

/// A name of an image, as it was pulled or given.
package struct NameRecord: Codable, Hashable, Sendable {
  /// Whole: `docker.io/library/nginx:alpine`.
  package var name: String
  package var manifest: ContentDigest
  /// The registry's digest for the name: the digest of a list, where it is one.
  package var digest: ContentDigest

  package init(name: String, manifest: ContentDigest, digest: ContentDigest) {
    (self.name, self.manifest, self.digest) = (name, manifest, digest)
  }
}

/// A chain id: names a layer together with all below it (OCI image specification, config.md, Layer ChainID).
package enum ChainID {
  /// From the lowest to the topmost, one for each layer.
  package static func all(of contents: [ContentDigest]) throws(LibraryError) -> [ContentDigest] {
    var chains: [ContentDigest] = []
    for content in contents {
      guard let below = chains.last else {
        chains.append(content)
        continue
      }
      chains.append(try ContentHash.digest(of: Array("\(below) \(content)".utf8)))
    }
    return chains
  }
}

/// The record that the store keeps beside an unpacked layer.
package struct LayerRecord: Codable, Hashable, Sendable {
  package var chain: ContentDigest
  package var content: ContentDigest
  package var parent: ContentDigest?
  package var size: Int64
  package var largestID: UInt32
  /// True for one that was made here, and whose archive is written when somebody wants it. Nil: false.
  package var isBuilt: Bool?

  package init(
    chain: ContentDigest, content: ContentDigest, parent: ContentDigest?, size: Int64, largestID: UInt32,
    isBuilt: Bool? = nil
  ) {
    (self.chain, self.content, self.parent) = (chain, content, parent)
    (self.size, self.largestID, self.isBuilt) = (size, largestID, isBuilt)
  }
}
