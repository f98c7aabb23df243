import Testing

@testable import Orchestrator

@Suite struct ResolverFileTests {
  @Test func whatCannotBeReachedFromInsideIsLeftOut() {
    let host = """
      # made by hand
      ; and so
      nameserver 127.0.0.53
      nameserver\t192.0.2.1
        nameserver 127.0.0.1
      nameserver ::1
      nameserver fe80::1%eth0
      search example.com
      options edns0 trust-ad
      """
    #expect(
      ResolverFile.forServices(host: host)
        == "nameserver\t192.0.2.1\nsearch example.com\noptions edns0 trust-ad\n")
  }

  @Test func oddFilesAreRead() {
    #expect(ResolverFile.forServices(host: "") == "")
    #expect(
      ResolverFile.forServices(host: "nameserver 127.0.0.53\r\nnameserver 192.0.2.1\r\n") == "nameserver 192.0.2.1\n")
    #expect(ResolverFile.forServices(host: "nameserver\nnameserver 192.0.2.1") == "nameserver\nnameserver 192.0.2.1\n")
    #expect(ResolverFile.forServices(host: "nameserver 1270.example") == "nameserver 1270.example\n")
  }

  @Test func behindALocalResolverStandThoseThatItAsks() throws {
    let folder = try TemporaryFolder()
    try folder.write("resolv.conf", "nameserver 127.0.0.53\nsearch lab\n")
    try folder.write("resolved", "nameserver 192.0.2.7\nsearch lab\n")
    let (own, upstream) = ("\(folder.path)/resolv.conf", "\(folder.path)/resolved")
    #expect(ResolverFile.forServices(paths: [own, upstream]) == "nameserver 192.0.2.7\nsearch lab\n")
    #expect(ResolverFile.forServices(paths: [own, "\(folder.path)/none"]) == "search lab\n")
    try folder.write("resolv.conf", "nameserver 192.0.2.1\n")
    #expect(ResolverFile.forServices(paths: [own, upstream]) == "nameserver 192.0.2.1\n")
    #expect(ResolverFile.forServices(paths: ["\(folder.path)/none"]) == "")
  }
}
