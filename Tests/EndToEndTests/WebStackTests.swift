import Foundation
import Testing

/// stacks/web.stack from up to down, as the README walks through it.
@Suite struct WebStackTests {
  @Test func eachServerAnswersWithItsOwnPage() throws {
    try withWeb { (host) throws in
      for number in 1...3 {
        #expect(try host.get("localhost:808\(number)")?.contains("This is web\(number)<") == true)
      }
    }
  }

  @Test func upPrintsWhatRunsWhere() throws {
    try ThrowawayHost.with { host in
      let table = try host.succeed("stack", "up", Repository.stackFile("web.stack"))
      for number in 1...3 {
        let row = table.split(separator: "\n").last { $0.contains("web\(number)") } ?? ""
        #expect(row.contains("808\(number)"), "\(table)")
        #expect(try row.contains(host.ipAddress(of: "web\(number)")), "\(table)")
      }
      #expect(try host.run("stack", "up", Repository.stackFile("web.stack")).status == 0, "a second up is harmless")
    }
  }

  @Test func execLooksFromInside() throws {
    try withWeb { (host) throws in
      #expect(try host.get("localhost", inside: "web1")?.contains("This is web1<") == true)
      #expect(try host.get("web2", inside: "web1")?.contains("This is web2<") == true)
      #expect(try host.succeed("stack", "exec", "web1", "hostname") == "web1")
    }
  }

  @Test func aServiceSeesOnlyItself() throws {
    try withWeb { (host) throws in
      let processes = try host.succeed("stack", "exec", "web1", "sh", "-c", "ls -d /proc/[0-9]* | wc -l")
      #expect((2...5).contains(Int(processes) ?? 0), "web1 sees \(processes) processes")
      #expect(try host.succeed("stack", "exec", "web1", "cat", "/proc/1/comm").hasPrefix("stack-init"))
      let links = try host.succeed("stack", "exec", "web1", "ls", "/sys/class/net")
      #expect(links.split(whereSeparator: \.isWhitespace).sorted() == ["eth0", "lo"])
      #expect(try host.succeed("stack", "exec", "web1", "hostname") != host.succeed("hostname"))
    }
  }

  @Test func nothingOfTheHostsSecretsOrStateIsVisible() throws {
    try ThrowawayHost.with { host in
      try host.write("secret", to: "/run/secret")
      try host.succeed("stack", "up", Repository.stackFile("web.stack"))
      for path in [
        "/etc/ssh", "/etc/machine-id", "/run/secret", "/root/.bashrc", "/root/.ssh", Repository.root,
      ] {
        #expect(try host.run("stack", "exec", "web1", "test", "-e", path).status == 1, "\(path) is visible")
      }
      // PAM wants the file. No line of it has a password.
      let passwords = try host.succeed("stack", "exec", "-T", "web1", "cut", "-d:", "-f2", "/etc/shadow")
      #expect(Set(passwords.split(separator: "\n")).isSubset(of: ["*", "!"]), "\(passwords)")
      for folder in ["/home", "/var/lib"] {
        let names = try host.run("stack", "exec", "web1", "ls", "-A", folder).output
        #expect(!names.contains("stack") && !names.contains("dpkg"), "\(folder) shows \(names)")
      }
      let mounts = try host.succeed("stack", "exec", "web1", "cat", "/proc/self/mountinfo")
      #expect(!mounts.contains("/run/throwaway"), "the host's mounts are visible:\n\(mounts)")
      #expect(mounts.split(separator: "\n").count < 40)
    }
  }

  @Test func theHostsFilesCannotBeWrittenFromInside() throws {
    try withWeb { (host) throws in
      #expect(try host.run("stack", "exec", "web1", "touch", "/usr/bin/left").status != 0)
      #expect(try host.run("stack", "exec", "web1", "touch", "/www/left").status != 0)
      // Elsewhere is writable, and the service's own.
      #expect(try host.run("stack", "exec", "web1", "touch", "/srv/mine").status == 0)
      #expect(try host.run("stack", "exec", "web2", "test", "-e", "/srv/mine").status == 1)
      #expect(try host.run("test", "-e", "/srv/mine").status == 1)
    }
  }

  @Test func otherToolsSeeTheSame() throws {
    try withWeb { (host) throws in
      let aliases = try host.succeed("sh", "-c", "ip -j link | jq -r '.[] | select(.ifalias) | .ifalias'")
      for number in 1...3 { #expect(aliases.contains("stack:web/web\(number)/default"), "\(aliases)") }
      let tables = try host.succeed(
        "sh", "-c", "nft -j list tables | jq -r '.nftables[].table // empty | .family + \" \" + .name'")
      #expect(tables.split(separator: "\n").sorted() == ["bridge stack-web/ports", "inet stack-web"])
      let names = try host.succeed("ip", "netns")
      for number in 1...3 { #expect(names.contains("web.web\(number)"), "\(names)") }
      let address = try host.succeed(
        "sh", "-c", "ip netns exec web.web1 ip -j -4 address show eth0 | jq -r '.[0].addr_info[0].local'")
      #expect(try address == host.ipAddress(of: "web1"))
      #expect(try host.inNamespaces(of: "web1", "hostname") == "web1")
    }
  }

  @Test func downRestoresTheHost() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.succeed("stack", "up", Repository.stackFile("web.stack"))
      #expect(try !HostState(of: host).differences(since: before).isEmpty)
      try host.succeed("stack", "down", "web")
      try host.expectUnchanged(since: before)
    }
  }

  @Test(arguments: [["web"], [Repository.stackFile("web.stack")], []])
  func downTakesANameAFileOrNothing(_ argument: [String]) throws {
    try withWeb { (host) throws in
      #expect(try host.start(["stack", "down"] + argument).wait(limit: .seconds(60)).status == 0)
      #expect(try host.listing("-a").isEmpty)
    }
  }

  @Test func upDoesNotHoldItsCallersOutputOpen() throws {
    try ThrowawayHost.with { (host) throws in
      let script = "text=$(stack up \(Repository.stackFile("web.stack")) 2>&1) && echo returned"
      #expect(try host.run("bash", "-c", script, limit: .seconds(60)).output == "returned")
    }
  }

  private func withWeb(_ body: (ThrowawayHost) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.succeed("stack", "up", Repository.stackFile("web.stack"))
      try body(host)
    }
  }
}
