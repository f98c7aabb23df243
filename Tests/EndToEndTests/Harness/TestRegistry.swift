import Foundation

/// A registry of the tests' own (Scripts/test-registry.py), which does what a test asks of it.
struct TestRegistry {
  private let host: ThrowawayHost
  private let process: Subprocess
  private let log: String

  /// A request as the registry noted it.
  struct Request: Decodable {
    var method: String
    var path: String
    var status: Int
    var host: String?
    var authorization: String?
    var range: String?
    var body: String
    var time: Double
  }

  /// - Parameter settings: as the script takes them; an image's layout and a log are there unless they say otherwise.
  fileprivate init(_ host: ThrowawayHost, _ settings: [String: Any], from machine: Machine) throws {
    self.host = host
    let name = "/run/registry-\(UUID().uuidString)"
    log = "\(name).log"
    let whole = ["layout": "/run/layout", "log": log].merging(settings) { $1 }
    let json = try JSONSerialization.data(withJSONObject: whole)
    try host.write(String(decoding: json, as: UTF8.self), to: "\(name).json")
    process = try host.start(
      ["python3", "\(Repository.root)/Tests/EndToEndTests/Scripts/test-registry.py", "\(name).json"], from: machine)
    let places = (whole["listen"] as? [[Any]] ?? []).compactMap { place -> String? in
      place.count == 2 ? "\(place[0])/\(place[1])" : nil
    }
    for place in places {
      let connect = ["bash", "-c", "exec 3<>/dev/tcp/\(place)"]
      guard host.eventually({ (try? host.start(connect, from: machine).wait(limit: .seconds(30)).status) == 0 }) else {
        throw HarnessError("the registry does not start: \(try process.wait(limit: .seconds(1)))")
      }
    }
  }

  func requests() throws -> [Request] {
    try host.run("cat", log).output.split(separator: "\n").map {
      try JSONDecoder().decode(Request.self, from: Data($0.utf8))
    }
  }
}

extension ThrowawayHost {
  /// Gives the host what registries need: an /etc of its own, an authority with a certificate for all names of the tests, and an image
  /// with layers of so many bytes in /run/layout.
  func prepareRegistries(layers: [Int] = [3_000_000, 100_000, 50]) throws {
    let names = ["registry.test", "other.test", "auth.test", "registry-1.docker.io", "auth.docker.io"]
    try succeed(
      "bash", "-c",
      """
      set -e
      mkdir -p /run/etc/upper /run/etc/work /run/tls
      mount -t overlay -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work overlay /etc
      printf '127.0.0.2 %s\\n' \(names.joined(separator: " ")) >>/etc/hosts
      cd /run/tls
      openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj "/CN=Authority of tests" 2>/dev/null
      openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj "/CN=test" 2>/dev/null
      printf 'subjectAltName=%s,IP:127.0.0.1,IP:198.51.100.1' \
      '\(names.map { "DNS:\($0)" }.joined(separator: ","))' >names
      openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -days 2 -extfile names 2>/dev/null
      cat ca.crt >>/etc/ssl/certs/ca-certificates.crt
      python3 \(Repository.root)/Tests/EndToEndTests/Scripts/make-layout.py /run/layout \(layers.map(String.init).joined(separator: " "))
      """)
  }

  /// The settings with which a registry speaks TLS.
  static let tls = ["certificate": "/run/tls/server.crt", "key": "/run/tls/server.key"]

  func startRegistry(_ settings: [String: Any], from machine: Machine = .host) throws -> TestRegistry {
    try TestRegistry(self, settings, from: machine)
  }

  /// Starts Debian's docker-registry on 127.0.0.2:5000 with TLS.
  ///
  /// - Parameter settings: further lines of its configuration.
  func startDockerRegistry(_ settings: String) throws -> Subprocess {
    try write(
      """
      version: 0.1
      log: {level: error}
      storage: {filesystem: {rootdirectory: /run/registry}, delete: {enabled: true}}
      http: {addr: "127.0.0.2:5000", tls: {certificate: /run/tls/server.crt, key: /run/tls/server.key}}
      \(settings)
      """, to: "/run/registry.yml")
    let server = try start(["docker-registry", "serve", "/run/registry.yml"])
    let ask = ["curl", "-s", "-o", "/dev/null", "https://registry.test:5000/v2/"]
    guard eventually({ (try? start(ask).wait(limit: .seconds(30)).status) == 0 }) else {
      throw HarnessError("docker-registry does not start: \(server.output)")
    }
    return server
  }

  /// Everything of the images' store but its locks: what a failure must leave as it was.
  func storedImages() throws -> String {
    try run(
      "find", "/var/lib/stack/.images", "-not", "-path", "*/ingest/*", "-type", "f", "-not", "-name", "lock"
    ).output.split(separator: "\n").sorted().joined(separator: "\n")
  }
}
