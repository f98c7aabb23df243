import Foundation
import Glibc
import Testing

private let dockerIsHere = access("/usr/sbin/dockerd", X_OK) == 0 || access("/usr/bin/dockerd", X_OK) == 0

/// A stack on a host where other programs have firewalls too: cases 19 to 21 of the network's acceptance cases.
@Suite struct BesideTests {
  /// nftables without its counters, as nft(8) lists it.
  private func ruleset(_ host: ThrowawayHost) throws -> String { try host.succeed("nft", "-s", "list", "ruleset") }

  @Test(.enabled(if: dockerIsHere, "dockerd is not installed: tools/setup --tests"))
  func dockerAndAStackWorkSideBySide() throws {
    try ThrowawayHost.with { host in
      // Its own place for control groups, since this host's are not those that it would look for.
      let daemon = try host.start([
        "unshare", "-m", "--propagation", "private", "sh", "-c",
        "mount -t cgroup2 none /sys/fs/cgroup && exec dockerd --data-root /run/docker-data --exec-root /run/docker-exec "
          + "--pidfile /run/docker.pid -H unix:///run/docker.sock --storage-driver vfs",
      ])
      let docker = ["docker", "-H", "unix:///run/docker.sock"]
      guard
        try host.eventually(
          within: .seconds(60), { try host.start(docker + ["info"]).wait(limit: .seconds(60)).status == 0 })
      else { throw HarnessError("dockerd does not start: \(daemon.output)") }
      let image = """
        mkdir -p image/bin image/www && cp "$(command -v busybox)" image/bin/ && echo docker > image/www/index.html &&
        tar -C image -c . | docker -H unix:///run/docker.sock import - box &&
        docker -H unix:///run/docker.sock run -d --name served -p 8080:80 box /bin/busybox httpd -f -p 80 -h /www
        """
      let container = try host.run("sh", "-c", image)
      #expect(container.status == 0, "\(container)")
      func containerAnswers() throws -> Bool {
        try host.eventually {
          try host.get("127.0.0.1:8080") == "docker"
            && host.get("\(ThrowawayHost.address):8080", from: .outside) == "docker"
        }
      }
      #expect(try containerAnswers())
      let before = try ruleset(host)
      #expect(before.contains("policy drop"), "Docker closes the host's FORWARD chain")

      let text = ThrowawayHost.servers(stack: "web", ["a", "b"], extra: ["a": ["ports: [\"8081:80\"]"]])
      try host.write(text, to: "web.stack")
      let up = try host.run("stack", "up", "web.stack")
      #expect(up.status == 0, "\(up)")
      #expect(up.errors.contains("table ip filter chain FORWARD drops what it does not know"), "\(up)")
      #expect(up.errors.contains("DOCKER-USER"), "\(up)")
      #expect(try host.get("127.0.0.1:8081") == "web a")
      #expect(try host.get("\(ThrowawayHost.address):8081", from: .outside) == "web a")
      #expect(try host.get("a", inside: "b") == "web a", "br_netfilter brings bridged frames to Docker's chain")
      let server = try host.start(
        ["socat", "TCP-LISTEN:9000,fork,reuseaddr", "SYSTEM:echo $SOCAT_PEERADDR"], from: .outside)
      let ask = "socat -T2 - TCP:\(ThrowawayHost.internetAddress):9000 </dev/null"
      #expect(
        try host.eventually { try host.run("stack", "exec", "b", "sh", "-c", ask).output == ThrowawayHost.address })
      try host.signal(15, to: server)
      #expect(try containerAnswers())
      let rules = try host.succeed("iptables", "-S", "DOCKER-USER")
      #expect(rules.contains("-A DOCKER-USER -i web-default -m comment --comment \"stack:web\" -j ACCEPT"), "\(rules)")

      // Docker's own container is no way into the stack, nor the stack into Docker's.
      let address = try host.ipAddress(of: "a")
      let fromContainer = try host.start(
        docker + ["exec", "served", "/bin/busybox", "wget", "-T", "2", "-qO-", address]
      )
      .wait(limit: .seconds(60))
      #expect(fromContainer.status != 0, "\(fromContainer)")

      // Whoever flushes the chain does not cut the stack off for long.
      try host.succeed("iptables", "-F", "DOCKER-USER")
      try host.succeed("iptables", "-A", "DOCKER-USER", "-j", "RETURN")
      #expect(try host.eventually { try host.get("\(ThrowawayHost.address):8081", from: .outside) == "web a" })

      try host.succeed("stack", "down", "web")
      #expect(try ruleset(host) == before)
      #expect(try containerAnswers())
      _ = try host.start(docker + ["rm", "-f", "served"]).wait(limit: .seconds(60))
      try host.succeed("sh", "-c", "kill $(cat /run/docker.pid)")
      _ = try daemon.wait(limit: .seconds(60))
    }
  }

  @Test func aForeignPolicyIsNamedByUpAndDoctorAndLeftAlone() throws {
    try ThrowawayHost.with { host in
      let foreign = """
        table inet fw {
          chain pass { type filter hook forward priority 0; policy drop; iifname "nothing" accept; }
          chain late { type filter hook forward priority 10; policy accept; iifname "nothing" accept; counter reject with icmpx admin-prohibited; }
        }
        """
      try host.write(foreign, to: "fw.nft")
      try host.succeed("nft", "-f", "fw.nft")
      let before = try HostState(of: host)
      let text = ThrowawayHost.servers(stack: "web", ["a", "b"], extra: ["a": ["ports: [\"8081:80\"]"]])
      try host.write(text, to: "web.stack")
      let up = try host.run("stack", "up", "web.stack")
      #expect(up.status == 0, "\(up)")
      #expect(up.errors.contains("table inet fw chain pass drops what it does not know (policy drop)"), "\(up)")
      #expect(up.errors.contains("nft 'insert rule inet fw pass iifname \"web-default\" accept'"), "\(up)")
      let handle = try host.succeed("sh", "-c", "nft -a list chain inet fw late | sed -n 's/.*reject.*# handle //p'")
      #expect(up.errors.contains("table inet fw chain late rule \(handle) rejects what comes to it"), "\(up)")
      let doctor = try host.run("stack", "doctor").output
      #expect(doctor.contains("table inet fw chain pass drops"), "\(doctor)")
      #expect(doctor.contains("table inet fw chain late rule \(handle) rejects"), "\(doctor)")
      // Doing what is said helps.
      #expect(try host.get("\(ThrowawayHost.address):8081", from: .outside) == nil)
      for line in up.errors.split(separator: "\n") where line.contains("nft 'insert") {
        try host.succeed("sh", "-c", line.trimmingCharacters(in: .whitespaces))
      }
      #expect(try host.get("\(ThrowawayHost.address):8081", from: .outside) == "web a")
      try host.succeed("stack", "down", "web")
      try host.succeed("sh", "-c", "nft delete table inet fw && nft -f fw.nft")
      try host.expectUnchanged(since: before)
    }
  }

  /// The chains that firewalld has, without firewalld, which wants a bus of its own.
  @Test func whatFirewalldRejectsIsLetThroughWhenAskedForAndTakenBack() throws {
    try ThrowawayHost.with { host in
      let foreign = """
        table inet firewalld {
          chain filter_INPUT { type filter hook input priority filter + 10; policy accept; ct state { established, related } accept; iifname "lo" accept; reject with icmpx admin-prohibited; }
          chain filter_FORWARD { type filter hook forward priority filter + 10; policy accept; ct state { established, related } accept; reject with icmpx admin-prohibited; }
        }
        """
      try host.write(foreign, to: "fw.nft")
      try host.succeed("nft", "-f", "fw.nft")
      let before = try ruleset(host)
      let text = ThrowawayHost.servers(stack: "web", ["a", "b"], extra: ["a": ["ports: [\"8081:80\"]"]])
      try host.write(text, to: "web.stack")
      let up = try host.run("stack", "up", "web.stack")
      #expect(up.errors.contains("table inet firewalld chain filter_FORWARD rule "), "\(up)")
      #expect(up.errors.contains("to let it pass: stack doctor --fix"), "\(up)")
      let closed = try ruleset(host)
      #expect(try host.get("\(ThrowawayHost.address):8081", from: .outside) == nil)
      let fix = try host.run("stack", "doctor", "--fix")
      #expect(fix.output.contains("done web: let through in table inet firewalld chain filter_FORWARD"), "\(fix)")
      #expect(try host.get("\(ThrowawayHost.address):8081", from: .outside) == "web a")
      _ = try host.run("stack", "doctor", "--unfix")
      #expect(try ruleset(host) == closed)
      _ = try host.run("stack", "doctor", "--fix")
      try host.succeed("stack", "down", "web")
      #expect(try ruleset(host) == before)
    }
  }

  @Test func aTableThatAnotherProgramDeletesIsPutBackAndSaid() throws {
    try ThrowawayHost.with { host in
      let text = ThrowawayHost.servers(stack: "web", ["a", "b"], extra: ["a": ["ports: [\"8081:80\"]"]])
      try host.up(text, named: "web")
      let before = try ruleset(host)
      for deletion in [
        ["flush", "ruleset"], ["delete", "table", "inet", "stack-web"], ["flush", "table", "inet", "stack-web"],
      ] {
        _ = try host.start(["nft"] + deletion).wait(limit: .seconds(60))
        #expect(try host.eventually { try ruleset(host) == before }, "after nft \(deletion.joined(separator: " "))")
        #expect(try host.get("\(ThrowawayHost.address):8081", from: .outside) == "web a")
      }
      let log = try host.succeed("cat", "/run/stack/web/supervisor.log")
      #expect(log.contains("table inet stack-web deleted by another program: put back"), "\(log)")
      #expect(log.contains("rules of table inet stack-web deleted by another program: put back"), "\(log)")
    }
  }

  @Test func aBridgeThatAnotherProgramSetsDownIsSetUpAndSaid() throws {
    try ThrowawayHost.with { host in
      try host.up(
        ThrowawayHost.servers(stack: "web", ["a", "b"], extra: ["a": ["ports: [\"8081:80\"]"]]), named: "web")
      let neighbours = try host.succeed("sh", "-c", "ip neigh show dev web-default nud permanent | sort")
      try host.succeed("ip", "link", "set", "web-default", "down")
      #expect(try host.eventually { try host.get("\(ThrowawayHost.address):8081", from: .outside) == "web a" })
      #expect(try host.get("a", inside: "b") == "web a")
      #expect(try host.succeed("sh", "-c", "ip neigh show dev web-default nud permanent | sort") == neighbours)
      let log = try host.succeed("cat", "/run/stack/web/supervisor.log")
      #expect(log.contains("bridge web-default is set down, by another program: put back"), "\(log)")
    }
  }
}
