import FoundationEssentials
import ImageReference

/// An image's configuration: what it runs unless the file says otherwise, and what its layers are (config.md).
package struct ImageConfiguration: Codable, Hashable, Sendable {
  package var architecture: String?
  package var os: String?
  package var variant: String?
  /// RFC 3339.
  package var created: String?
  package var config: Process?
  package var rootfs: RootFS?
  package var history: [Step]?

  package struct RootFS: Codable, Hashable, Sendable {
    package var type: String?
    package var diffIDs: [ContentDigest]?

    enum CodingKeys: String, CodingKey {
      case type
      case diffIDs = "diff_ids"
    }
  }

  package struct Step: Codable, Hashable, Sendable {
    package var created: String?
    package var createdBy: String?
    package var comment: String?
    package var isEmptyLayer: Bool?

    enum CodingKeys: String, CodingKey {
      case created, comment
      case createdBy = "created_by"
      case isEmptyLayer = "empty_layer"
    }
  }

  package struct Process: Codable, Hashable, Sendable {
    package var user: String?
    package var exposedPorts: [String: Empty]?
    package var environment: [String]?
    package var entrypoint: [String]?
    package var command: [String]?
    package var volumes: [String: Empty]?
    package var workingDirectory: String?
    package var labels: [String: String]?
    package var stopSignal: String?
    package var healthCheck: HealthCheck?
    package var shell: [String]?

    package init() {}

    enum CodingKeys: String, CodingKey {
      case user = "User"
      case exposedPorts = "ExposedPorts"
      case environment = "Env"
      case entrypoint = "Entrypoint"
      case command = "Cmd"
      case volumes = "Volumes"
      case workingDirectory = "WorkingDir"
      case labels = "Labels"
      case stopSignal = "StopSignal"
      case healthCheck = "Healthcheck"
      case shell = "Shell"
    }
  }

  /// Durations are nanoseconds; 0 and nil: the default.
  package struct HealthCheck: Codable, Hashable, Sendable {
    package var test: [String]?
    package var interval: Int64?
    package var timeout: Int64?
    package var startPeriod: Int64?
    package var startInterval: Int64?
    package var retries: Int?

    enum CodingKeys: String, CodingKey {
      case test = "Test"
      case interval = "Interval"
      case timeout = "Timeout"
      case startPeriod = "StartPeriod"
      case startInterval = "StartInterval"
      case retries = "Retries"
    }
  }

  /// `{}`, or null.
  package struct Empty: Codable, Hashable, Sendable {
    package init() {}
    package init(from decoder: any Decoder) throws {}
  }

  package init(_ bytes: [UInt8]) throws(ImageFormatError) {
    guard bytes.count <= ManifestDocument.limit else {
      throw ImageFormatError("has \(bytes.count) bytes, and at most \(ManifestDocument.limit) are read")
    }
    do {
      self = try JSONDecoder().decode(Self.self, from: Data(bytes))
    } catch {
      throw ImageFormatError("is damaged: \(ManifestDocument.words(error))")
    }
  }

  package var diffIDs: [ContentDigest] { rootfs?.diffIDs ?? [] }
  package var process: Process { config ?? Process() }

  package var platform: ImagePlatform {
    ImagePlatform(os: os ?? "linux", architecture: architecture ?? "", variant: variant ?? "")
  }
}
