/// The kind of machine that an image is for.
package struct ImagePlatform: Hashable, Sendable, Codable, CustomStringConvertible {
  package var os: String
  package var architecture: String
  package var variant: String

  /// Normalized: `x86_64` is `amd64`, `aarch64` is `arm64`, and arm64 without a variant is v8, arm without one v7.
  package init(os: String, architecture: String, variant: String = "") {
    self.os = os.lowercased()
    var (architecture, variant) = (architecture.lowercased(), variant.lowercased())
    switch architecture {
    case "x86_64", "x86-64": architecture = "amd64"
    case "aarch64": architecture = "arm64"
    case "armhf": (architecture, variant) = ("arm", "v7")
    case "armel": (architecture, variant) = ("arm", "v6")
    default: break
    }
    switch (architecture, variant) {
    case ("arm64", ""), ("arm64", "8"): variant = "v8"
    case ("arm", ""), ("arm", "7"): variant = "v7"
    case ("arm", "5"), ("arm", "6"): variant = "v\(variant)"
    case ("amd64", "v1"): variant = ""
    default: break
    }
    (self.architecture, self.variant) = (architecture, variant)
  }

  /// `os/architecture[/variant]`, or an architecture alone.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard (1...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else { return nil }
    switch parts.count {
    case 1 where parts[0].lowercased() == "linux": self = .own
    case 1 where !Self.architectures.contains(parts[0].lowercased()): return nil
    case 1: self.init(os: "linux", architecture: parts[0])
    default: self.init(os: parts[0], architecture: parts[1], variant: parts.count == 3 ? parts[2] : "")
    }
  }

  /// As Go names them, which those who make images do too.
  private static let architectures: Set<String> = [
    "386", "aarch64", "amd64", "arm", "arm64", "armel", "armhf", "loong64", "mips64le", "ppc64le", "riscv64",
    "s390x", "x86_64", "x86-64",
  ]

  /// This machine's.
  package static let own: ImagePlatform = {
    #if arch(x86_64)
      ImagePlatform(os: "linux", architecture: "amd64")
    #elseif arch(arm64)
      ImagePlatform(os: "linux", architecture: "arm64")
    #else
      ImagePlatform(os: "linux", architecture: "unknown")
    #endif
  }()

  package var description: String { "\(os)/\(architecture)\(variant.isEmpty ? "" : "/\(variant)")" }

  /// The variants of an image for this platform that run here, best first.
  private var variants: [String] {
    switch architecture {
    case "amd64": variant.isEmpty ? [""] : ["v4", "v3", "v2", ""].drop { $0 != variant }.map(\.self)
    case "arm": ["v8", "v7", "v6", "v5"].drop { $0 != variant }.map(\.self)
    default: [variant]
    }
  }

  /// The image of an index that is meant: nil where none is. Of equals the first; those that name no platform come last.
  package func choose(from manifests: [BlobDescriptor]) -> BlobDescriptor? {
    let images = manifests.filter { !$0.isAttestation }
    for variant in variants {
      let meant = ImagePlatform(os: os, architecture: architecture, variant: variant)
      let found = images.first { image in
        guard let platform = image.platform, let os = platform.os, let architecture = platform.architecture else {
          return false
        }
        return ImagePlatform(os: os, architecture: architecture, variant: platform.variant ?? "") == meant
      }
      if let found { return found }
    }
    return images.first { $0.platform?.architecture == nil }
  }

  /// True if an image for another platform runs on this one.
  package func runs(_ other: ImagePlatform) -> Bool {
    other.os == os && other.architecture == architecture && variants.contains(other.variant)
  }
}

extension BlobDescriptor {
  /// An attestation: builders put it beside an image to say how it was made.
  var isAttestation: Bool {
    platform?.os == "unknown" && platform?.architecture == "unknown"
      || annotations?["vnd.docker.reference.type"] != nil
  }
}
