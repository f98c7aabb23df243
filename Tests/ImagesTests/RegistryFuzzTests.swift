import Fuzzing
import Testing

@testable import ImageFormat
@testable import ImageReference
@testable import Registry

/// Damaged names, manifests and answers of registries: each is understood or refused, and what is understood holds.
struct RegistryFuzzTests {
  private static func bytes(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }

  @Test func anyNameIsReadOrRefused() throws {
    let hex = String(repeating: "a", count: 64)
    let seeds = Self.bytes([
      "nginx", "nginx:alpine", "ghcr.io/a/b:1.2", "localhost:5000/a", "[::1]:5000/a/b_c__d--e:t", "a@sha256:\(hex)",
      "docker.io/library/x:y@sha512:\(hex)\(hex)", "oci:./folder:name", "docker-archive:./file.tar", hex,
    ])
    let words = Self.bytes([":", "/", "@", ".", "..", "sha256:", "_", "-", "A", "[", "]", "latest", "é", "\0", " "])
    try Fuzz.run(.imageReference) { input in
      let text = String(decoding: input.mutant(of: seeds, words: words), as: UTF8.self)
      _ = try? ImageSource(text)
      guard let reference = try? ImageReference(text) else { return }
      // Whatever way it is written, it is the same name.
      for written in [reference.canonical, reference.familiar] {
        try #require(try ImageReference(written) == reference)
      }
      try #require(!reference.path.isEmpty && reference.path.utf8.count <= 255)
      try #require(
        !reference.path.split(separator: "/", omittingEmptySubsequences: false).contains { $0 == ".." || $0 == "" })
    }
  }

  @Test func anyManifestIsReadOrRefused() throws {
    let digest = "sha256:" + String(repeating: "1", count: 64)
    let blob = #"{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"\#(digest)","size":5}"#
    let config = #"{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"\#(digest)","size":5}"#
    let entry =
      #"{"digest":"\#(digest)","size":5,"platform":{"os":"linux","architecture":"amd64"},"annotations":{"a":"b"}}"#
    let seeds = Self.bytes([
      #"{"schemaVersion":2,"config":\#(config),"layers":[\#(blob),\#(blob)]}"#,
      #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[\#(entry)]}"#,
      #"{"schemaVersion":1,"fsLayers":[]}"#,
      #"{"architecture":"amd64","os":"linux","config":{"Env":["A=b"],"Cmd":["/x"],"Volumes":{"/v":{}},"Healthcheck":{"Test":["CMD","a"],"Interval":1}},"rootfs":{"type":"layers","diff_ids":["\#(digest)"]},"history":[{"empty_layer":true}]}"#,
    ])
    let words = Self.bytes([
      "{", "}", "[", "]", "null", "-1", "1e999", "9223372036854775808", "\"manifests\":", "\"config\":", "\"layers\":",
      "\"\\ud800\"",
      "\"size\":", "../", "\"artifactType\":\"x\"", "\"mediaType\":",
    ])
    try Fuzz.run(.imageManifest) { input in
      let bytes = input.mutant(of: seeds, words: words)
      let type = input.happens(50) ? MediaType.accepted.randomElement(using: &input.random) : nil
      switch try? ManifestDocument(bytes, type: type) {
      case .image(let manifest):
        try #require(manifest.layers.count <= ManifestDocument.mostLayers)
        try #require(
          ([manifest.config] + manifest.layers).allSatisfy { $0.size >= 0 && ContentDigest("\($0.digest)") != nil })
      case .index(let list): _ = ImagePlatform.own.choose(from: list.manifests)
      case nil: break
      }
      _ = try? ImageConfiguration(bytes)
    }
  }

  @Test func anyAnswerIsReadOrRefused() throws {
    let seeds = Self.bytes([
      #"Bearer realm="https://auth.example/token",service="r",scope="repository:a/b:pull,push""#,
      #"Basic realm="x\"y""#,
      "https://cdn.example:8443/a?b=c#d", "/v2/a/blobs/uploads/1?_state=x", "//other/x", "[::1]:1", "120",
      "Sun, 06 Nov 1994 08:49:37 GMT", #"{"errors":[{"code":"DENIED","message":"no"}]}"#,
      #"{"token":"abc","expires_in":60,"access_token":"x","refresh_token":"y"}"#,
      "[[registry]]\nprefix = \"a.b\"\n[[registry.mirror]]\nlocation = \"c\"\ninsecure = true\n",
    ])
    let words = Self.bytes([
      "\"", "\\", ",", "=", " ", "Bearer", "://", "@", ":", "?", "#", "\r\n", "99999999999999999999", "{", "-", "nan",
      "inf", "-2147483648",
    ])
    try Fuzz.run(.registryAnswer) { input in
      let bytes = input.mutant(of: seeds, words: words)
      let text = String(decoding: bytes, as: UTF8.self)
      _ = AuthenticationChallenge.preferred(AuthenticationChallenge.all(in: [text]))
      try #require(RegistryWords(bytes).text?.contains("\u{1B}") != true)
      let delay = RetryDelays().delay(1, retryAfter: text, jitter: 0, now: 0)
      try #require(delay >= 0 && delay <= 60)
      // A server's answer leads to a web server, or nowhere.
      if let place = WebOrigin.resolve(text, from: "https://r.example/v2/x") {
        try #require(place.hasPrefix("https://") || place.hasPrefix("http://") || WebOrigin(place) != nil)
      }
      var configuration = RegistriesConfiguration()
      try? configuration.add(toml: text)
      configuration.add(daemon: text)
    }
  }
}
