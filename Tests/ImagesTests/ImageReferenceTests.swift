import Testing

@testable import ImageReference

struct ImageReferenceTests {
  static let digest = "sha256:" + String(repeating: "0123456789abcdef", count: 4)

  @Test(arguments: [
    ("nginx", "docker.io/library/nginx:latest", "nginx:latest"),
    ("nginx:alpine", "docker.io/library/nginx:alpine", "nginx:alpine"),
    ("docker.io/nginx", "docker.io/library/nginx:latest", "nginx:latest"),
    ("index.docker.io/nginx:1", "docker.io/library/nginx:1", "nginx:1"),
    ("grafana/loki:2.9", "docker.io/grafana/loki:2.9", "grafana/loki:2.9"),
    ("library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"),
    ("localhost/a", "localhost/a:latest", "localhost/a:latest"),
    ("localhost:5000/a", "localhost:5000/a:latest", "localhost:5000/a:latest"),
    ("[::1]:5000/a:b", "[::1]:5000/a:b", "[::1]:5000/a:b"),
    ("ghcr.io/a/b-c__d.e:V1_2-3", "ghcr.io/a/b-c__d.e:V1_2-3", "ghcr.io/a/b-c__d.e:V1_2-3"),
    ("HOST/a", "HOST/a:latest", "HOST/a:latest"),
    ("a---b", "docker.io/library/a---b:latest", "a---b:latest"),
    ("web@\(digest)", "docker.io/library/web@\(digest)", "web@\(digest)"),
    ("web:1@\(digest)", "docker.io/library/web:1@\(digest)", "web:1@\(digest)"),
  ])
  func isReadAsDockerReadsIt(_ text: String, canonical: String, familiar: String) throws {
    let reference = try ImageReference(text)
    #expect(reference.canonical == canonical)
    #expect(reference.familiar == familiar)
    #expect(try ImageReference(reference.familiar) == reference)
    #expect(try ImageReference(reference.canonical) == reference)
  }

  @Test(arguments: [
    ("", "is empty"), ("Nginx", "has upper-case letters"), ("a/B", "has upper-case letters"),
    (String(repeating: "0a", count: 32), "is an image's id"), ("nginx:", "has no proper tag"),
    ("nginx:-a", "has no proper tag"), ("nginx:" + String(repeating: "a", count: 129), "has no proper tag"),
    ("a//b", "has no proper name"), ("a/", "has no proper name"), ("-a", "has no proper name"),
    ("a..b", "has no proper name"), ("a___b", "has no proper name"), ("a._b", "has no proper name"),
    ("a@sha256:12", "has no proper digest"), ("a@md5:\(String(repeating: "0", count: 32))", "has no proper digest"),
    ("a@sha256:\(String(repeating: "A", count: 64))", "has no proper digest"),
    ("host:99999/a", "has no proper registry"), ("-a.b/c", "has no proper registry"),
    ("[fe80::1%25eth0]/a", "has no proper registry"), ("localhost/", "has no name"),
    (String(repeating: "a", count: 256), "has a name of 264 bytes"), ("a b", "has no proper name"),
    ("../etc", "has no proper registry"), ("a\0b", "has no proper name"),
  ])
  func whatIsNoneIsRefused(_ text: String, problem: String) {
    let error = #expect(throws: ImageReferenceError.self) { try ImageReference(text) }
    #expect(error?.problem.contains(problem) == true, "\(text): \(error?.problem ?? "")")
    #expect(error?.remedy.isEmpty == false)
  }

  @Test func dockersRegistryHasAHostOfAnotherName() throws {
    #expect(try ImageReference("nginx").host == "registry-1.docker.io")
    #expect(try ImageReference("ghcr.io/a").host == "ghcr.io")
  }

  @Test func aDigestDecides() throws {
    #expect(try ImageReference("web:1@\(Self.digest)").selector == Self.digest)
    #expect(try ImageReference("web:1").selector == "1")
  }

  @Test(arguments: [
    ("oci:./a", ImageSource.layout(path: "./a", name: nil)),
    ("oci:./a:b", .layout(path: "./a", name: "b")),
    ("oci:/x:y/a", .layout(path: "/x:y/a", name: nil)),
    ("docker-archive:a.tar:b/c:d", .archive(path: "a.tar:b/c", name: "d")),
    ("docker-archive:./a.tar:web:1", .archive(path: "./a.tar", name: "web:1")),
    ("docker-daemon:docker.io/library/web:1", .daemon(name: "web:1")),
    ("docker-daemon:0123456789ab", .daemon(name: "0123456789ab")),
    ("containers-storage:docker.io/library/web:1", .storage(name: "docker.io/library/web:1")),
    ("containers-storage:sha256:0123456789abcdef", .storage(name: "sha256:0123456789abcdef")),
  ])
  func foldersAndArchivesAreSources(_ text: String, source: ImageSource) throws {
    #expect(try ImageSource(text) == source)
  }

  @Test(arguments: ["oci:", "docker-archive:", "docker-daemon:", "containers-storage:", "containers-storage:--help"])
  func aSourceWithoutAPlaceIsRefused(_ text: String) {
    #expect(throws: ImageReferenceError.self) { try ImageSource(text) }
  }

  /// Docker shows `docker.io/a.b/c` as `a.b/c`, which is the name of a registry.
  @Test(arguments: [
    "docker.io/a.b/c:1", "docker.io/localhost/c:1", "docker.io/library/a/b:1", "docker.io/library/a.b:1",
  ])
  func whatIsShownIsReadAsTheSame(_ name: String) throws {
    let reference = try ImageReference(name)
    #expect(try ImageReference(reference.familiar) == reference)
  }
}
