import ImageReference
import Testing

@testable import ImageFormat

struct ManifestTests {
  static let hex = String(repeating: "ab", count: 32)
  static let config = #"{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:\#(hex)","size":2}"#
  static let layer = #"{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:\#(hex)","size":3}"#

  static func read(_ text: String, type: String? = nil) throws -> ManifestDocument {
    try ManifestDocument(Array(text.utf8), type: type)
  }

  @Test func anImageIsRead() throws {
    let text = #"{"schemaVersion":2,"config":\#(Self.config),"layers":[\#(Self.layer)]}"#
    guard
      case .image(let manifest) = try Self.read(text, type: "application/vnd.oci.image.manifest.v1+json; charset=utf-8")
    else {
      Issue.record("it is no image")
      return
    }
    #expect(manifest.layers.map(\.size) == [3])
  }

  @Test(arguments: [
    (#"{"schemaVersion":1,"fsLayers":[]}"#, "schema 1"),
    (#"{"schemaVersion":2,"manifests":[],"layers":[]}"#, "at once"),
    (
      #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","config":\#(config),"layers":[]}"#,
      "not what it says"
    ),
    (#"{"schemaVersion":2,"mediaType":"application/vnd.cncf.helm.config.v1+json"}"#, "not of an image"),
    (#"{"schemaVersion":2,"artifactType":"application/x","config":\#(config),"layers":[]}"#, "not of an image"),
    (#"{"schemaVersion":2,"config":{"digest":"sha256:..%2F","size":1},"layers":[]}"#, "damaged"),
    (#"{"schemaVersion":2,"config":{"digest":"sha256:\#(hex)","size":-1},"layers":[]}"#, "size of -1"),
    (
      #"{"schemaVersion":2,"config":\#(config),"layers":[{"mediaType":"application/x","digest":"sha256:\#(hex)","size":1}]}"#,
      "unknown kind"
    ),
    ("[", "no JSON"), ("", "no JSON"),
  ])
  func whatIsNoneIsRefused(_ text: String, words: String) {
    let error = #expect(throws: ImageFormatError.self) { try Self.read(text) }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  @Test func theTypesOfAnswerAndManifestMustAgree() {
    let text =
      #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":\#(Self.config),"layers":[]}"#
    #expect(throws: ImageFormatError.self) { try Self.read(text, type: MediaType.index) }
    #expect(throws: ImageFormatError.self) { try Self.read(text, type: MediaType.dockerManifest) }
    #expect(throws: Never.self) { try Self.read(text, type: "application/json") }
  }

  @Test func tooManyLayersAreRefused() {
    let layers = Array(repeating: Self.layer, count: 501).joined(separator: ",")
    #expect(throws: ImageFormatError.self) {
      try Self.read(#"{"schemaVersion":2,"config":\#(Self.config),"layers":[\#(layers)]}"#)
    }
  }

  // MARK: Platforms

  private func entry(_ os: String?, _ architecture: String?, _ variant: String? = nil, size: Int64) -> BlobDescriptor {
    var blob = BlobDescriptor(mediaType: nil, digest: ContentDigest(.sha256, hex: Self.hex) ?? .none, size: size)
    blob.platform = .init(architecture: architecture, os: os, variant: variant)
    return blob
  }

  /// The names that uname(2), Debian and Docker have for the same machines.
  @Test(arguments: [
    ("x86_64", "linux/amd64"), ("x86-64", "linux/amd64"), ("linux/amd64/v1", "linux/amd64"),
    ("linux/amd64/v2", "linux/amd64/v2"), ("AMD64", "linux/amd64"), ("aarch64", "linux/arm64/v8"),
    ("linux/arm64", "linux/arm64/v8"), ("linux/arm64/8", "linux/arm64/v8"), ("armhf", "linux/arm/v7"),
    ("armel", "linux/arm/v6"), ("linux/arm", "linux/arm/v7"), ("linux/arm/7", "linux/arm/v7"),
    ("linux/arm/6", "linux/arm/v6"), ("linux/arm/5", "linux/arm/v5"), ("windows/x86_64", "windows/amd64"),
    ("linux", "\(ImagePlatform.own)"),
  ])
  func platformsHaveOneName(_ text: String, _ expected: String) {
    #expect(ImagePlatform(text)?.description == expected)
  }

  @Test(arguments: ["", "/", "linux/", "/amd64", "linux/arm/v7/x", "linux//v7"])
  func whatIsNoPlatform(_ text: String) { #expect(ImagePlatform(text) == nil) }

  @Test func thePlatformDecides() throws {
    let list = [
      entry("unknown", "unknown", size: 0), entry("linux", "arm", "v6", size: 1), entry("linux", "arm", "v7", size: 2),
      entry("linux", "aarch64", size: 3), entry("linux", "amd64", size: 4), entry("linux", "amd64", "v3", size: 5),
      entry("windows", "amd64", size: 6),
    ]
    func chosen(_ text: String) -> Int64? { ImagePlatform(text)?.choose(from: list)?.size }
    #expect(chosen("linux/amd64") == 4)
    #expect(chosen("linux/x86_64") == 4)
    #expect(chosen("linux/amd64/v3") == 5)
    #expect(chosen("linux/amd64/v2") == 4)
    #expect(chosen("linux/arm64") == 3)
    #expect(chosen("linux/arm64/v8") == 3)
    #expect(chosen("linux/arm") == 2)
    #expect(chosen("linux/arm/v6") == 1)
    #expect(chosen("linux/arm/v5") == nil)
    #expect(chosen("linux/386") == nil)
    #expect(chosen("windows/amd64") == 6)
  }

  @Test func whatNamesNoPlatformComesLast() {
    let bare = BlobDescriptor(mediaType: nil, digest: ContentDigest(.sha256, hex: Self.hex) ?? .none, size: 9)
    let own = entry("linux", "amd64", size: 4)
    #expect(ImagePlatform("linux/amd64")?.choose(from: [bare, own])?.size == 4)
    #expect(ImagePlatform("linux/s390x")?.choose(from: [bare, own])?.size == 9)
  }

  @Test func attestationsAreNoImages() {
    var attestation = BlobDescriptor(mediaType: nil, digest: ContentDigest(.sha256, hex: Self.hex) ?? .none, size: 1)
    attestation.annotations = ["vnd.docker.reference.type": "attestation-manifest"]
    #expect(ImagePlatform("linux/amd64")?.choose(from: [attestation]) == nil)
  }
}

extension ContentDigest {
  /// Sixty-four zeros.
  static var none: ContentDigest {
    guard let digest = ContentDigest(.sha256, bytes: [UInt8](repeating: 0, count: 32)) else {
      preconditionFailure("32 bytes")
    }
    return digest
  }
}
