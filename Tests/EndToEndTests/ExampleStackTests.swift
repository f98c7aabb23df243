import Foundation
import Testing

/// The other files in stacks/: each works as its comments say, and leaves nothing.
@Suite struct ExampleStackTests {
  @Test func twoNginxAndAClient() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.succeed("stack", "up", Repository.stackFile("nginx.stack"))
      for number in 1...2 {
        #expect(try host.get("localhost:809\(number)")?.contains("nginx web\(number)<") == true)
        #expect(try host.get("web\(number)", inside: "client")?.contains("nginx web\(number)<") == true)
      }
      let client = try host.ipAddress(of: "client")
      #expect(host.eventually { (try? host.succeed("stack", "logs", "web1").contains(client)) == true })
      try host.succeed("stack", "down", "nginx")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func dependenciesStartInOrderAndOneShotsComplete() throws {
    try ThrowawayHost.with { host in
      try host.succeed("stack", "up", Repository.stackFile("depends.stack"))
      #expect(try host.field("State", of: "prepare") == "exited")
      #expect(try host.field("ExitCode", of: "prepare") == 0)
      #expect(
        host.eventually { (try? host.succeed("stack", "logs", "client").contains("prepared by prepare")) == true })
    }
  }

  @Test func aVolumeOutlivesDownButNotDownWithVolumes() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      let file = Repository.stackFile("depends.stack")
      try host.succeed("stack", "up", file)
      try host.succeed("stack", "down", "depends")
      #expect(try host.succeed("find", "/var/lib/stack", "-name", "index.html").isEmpty == false)
      try host.succeed("stack", "up", file)
      try host.succeed("stack", "down", "-v", "depends")
      try host.expectUnchanged(since: before)
    }
  }
}
