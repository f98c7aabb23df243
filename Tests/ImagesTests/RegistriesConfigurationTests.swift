import ImageReference
import Testing

@testable import Registry

struct RegistriesConfigurationTests {
  private func places(_ name: String, _ toml: String = "", daemon: String? = nil) throws -> [String] {
    var configuration = RegistriesConfiguration()
    try configuration.add(toml: toml)
    if let daemon { configuration.add(daemon: daemon) }
    return try configuration.places(of: try ImageReference(name)).map {
      "\($0.reference.canonical)\($0.isInsecure ? " insecure" : "")"
    }
  }

  private static let mirrored = """
    unqualified-search-registries = ["docker.io",
      "quay.io"]  # is not used
    [[registry]]
    prefix = "docker.io"
    location = 'docker.io'
    [[registry.mirror]]
    location = "127.0.0.1:5000/hub" # "quoted"
    insecure = true
    [[registry.mirror]]
    location = "mirror.example"
    pull-from-mirror = "digest-only"
    [[registry]]
    prefix = "docker.io/grafana"
    location = "other.example/g"
    [[registry]]
    location = "bad.example"
    blocked = true
    [[registry]]
    prefix = "*.corp.example"
    insecure = true
    """

  private static let digest = "sha256:" + String(repeating: "0", count: 64)

  @Test(arguments: [
    ("nginx:1", ["127.0.0.1:5000/hub/library/nginx:1 insecure", "docker.io/library/nginx:1"]),
    (
      "nginx@\(digest)",
      [
        "127.0.0.1:5000/hub/library/nginx@\(digest) insecure", "mirror.example/library/nginx@\(digest)",
        "docker.io/library/nginx@\(digest)",
      ]
    ),
    ("grafana/loki:2", ["other.example/g/loki:2"]),
    ("a.corp.example/b:1", ["a.corp.example/b:1 insecure"]),
    ("quay.io/a:1", ["quay.io/a:1"]),
    ("docker.io/grafanaplus/a:1", ["127.0.0.1:5000/hub/grafanaplus/a:1 insecure", "docker.io/grafanaplus/a:1"]),
  ])
  func theLongestPrefixDecides(_ name: String, _ expected: [String]) throws {
    #expect(try places(name, Self.mirrored) == expected)
  }

  /// As TOML has it, spaces may stand within brackets and around keys and values, and comments behind all of them.
  @Test func spacesMeanNothing() throws {
    let toml = """
      [[ registry ]]
        prefix="a.example"
      \tlocation  =  "b.example/c"   # moved
      [[ registry . mirror ]]  # near
      location="m.example:5000"
        insecure = true
      """
    #expect(try places("a.example/x:1", toml) == ["m.example:5000/x:1 insecure", "b.example/c/x:1"])
  }

  @Test func aBlockedRegistryIsSaid() {
    #expect(throws: RegistryError.self) { try places("bad.example/a", Self.mirrored) }
  }

  @Test func dockersMirrorsAreForItsOwnRegistry() throws {
    let daemon =
      #"{"registry-mirrors": ["http://127.0.0.1:5001/", "https://m.example/p"], "insecure-registries": ["10.0.0.0/8", "r:1"]}"#
    #expect(
      try places("nginx:1", daemon: daemon)
        == ["127.0.0.1:5001/library/nginx:1 insecure", "m.example/p/library/nginx:1", "docker.io/library/nginx:1"])
    #expect(try places("10.1.2.3:5000/a:1", daemon: daemon) == ["10.1.2.3:5000/a:1 insecure"])
    #expect(try places("11.1.2.3:5000/a:1", daemon: daemon) == ["11.1.2.3:5000/a:1"])
  }

  @Test(arguments: [
    "[[registry]]\nlocation = x", "[[registry]]\ninsecure = 1", "[[registry.mirror]]", "x", "[registries.search]",
  ])
  func whatCannotBeUnderstoodIsSaid(_ text: String) {
    #expect(throws: RegistriesConfiguration.SyntaxError.self) { try places("a", text) }
  }
}
