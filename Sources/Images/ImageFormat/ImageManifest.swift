import ImageReference

/// A descriptor: names contents by their digest (OCI image specification, descriptor.md).
package struct BlobDescriptor: Codable, Hashable, Sendable {
  package var mediaType: String?
  package var digest: ContentDigest
  /// In bytes.
  package var size: Int64
  package var platform: Platform?
  package var annotations: [String: String]?
  package var urls: [String]?
  package var artifactType: String?

  package init(mediaType: String?, digest: ContentDigest, size: Int64) {
    (self.mediaType, self.digest, self.size) = (mediaType, digest, size)
  }

  package struct Platform: Codable, Hashable, Sendable {
    package var architecture: String?
    package var os: String?
    package var variant: String?

    package init(architecture: String?, os: String?, variant: String? = nil) {
      (self.architecture, self.os, self.variant) = (architecture, os, variant)
    }
  }
}

/// One image: its configuration, and its layers from the lowest to the topmost.
package struct ImageManifest: Codable, Hashable, Sendable {
  package var schemaVersion: Int
  package var mediaType: String?
  package var artifactType: String?
  package var config: BlobDescriptor
  package var layers: [BlobDescriptor]

  package init(config: BlobDescriptor, layers: [BlobDescriptor]) {
    (schemaVersion, mediaType, artifactType) = (2, MediaType.manifest, nil)
    (self.config, self.layers) = (config, layers)
  }
}

/// Several images of one name, one for each platform.
package struct ImageIndex: Codable, Hashable, Sendable {
  package var schemaVersion: Int
  package var mediaType: String?
  package var manifests: [BlobDescriptor]

  package init(manifests: [BlobDescriptor]) {
    (schemaVersion, mediaType, self.manifests) = (2, MediaType.index, manifests)
  }
}

/// The reason that bytes are no manifest, configuration or index that can be used.
package struct ImageFormatError: Error, Hashable, Sendable, CustomStringConvertible {
  /// As it follows "the manifest".
  package var description: String
  package var remedy: String?

  package init(_ description: String, remedy: String? = nil) {
    (self.description, self.remedy) = (description, remedy)
  }
}
