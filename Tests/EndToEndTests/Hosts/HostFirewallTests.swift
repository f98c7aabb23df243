import Foundation
import Glibc
import Testing

/// Firewalls of the host that drop what comes to the host itself, where services ask for names.
@Suite struct HostFirewallTests {
  /// A host whose resolver outside knows one name, and a stack of one service on it.
  private static func with(
    _ firewall: (ThrowawayHost) throws -> Subprocess?, _ body: (ThrowawayHost, _ up: Outcome) throws -> Void
  ) throws {
    try ThrowawayHost.with { host in
      try host.write("nameserver \(ThrowawayHost.internetAddress)\n", to: "resolv.conf")
      try host.succeed("mount", "--bind", "resolv.conf", "/etc/resolv.conf")
      let resolver = try host.start(
        [
          "dnsmasq", "--no-daemon", "--no-resolv", "--no-hosts", "--bind-interfaces", "--user=root",
          "--conf-file=/dev/null", "--pid-file=", "--listen-address=\(ThrowawayHost.internetAddress)",
          "--host-record=one.example,192.0.2.1",
        ], from: .outside)
      let daemon = try firewall(host)
      try host.write("name: web\nservices:\n  a: {command: [sleep, infinity]}\n", to: "web.stack")
      let up = try host.run("stack", "up", "web.stack")
      #expect(up.status == 0, "\(up)")
      try body(host, up)
      for process in [resolver, daemon].compactMap(\.self) { try host.signal(15, to: process) }
    }
  }

  private static func asks(_ host: ThrowawayHost) throws -> Bool {
    try host.run("stack", "exec", "-T", "a", "dig", "+short", "+time=1", "+tries=2", "one.example").output
      == "192.0.2.1"
  }

  /// The command that `up` says helps.
  private static func command(in up: Outcome) throws -> String {
    let lines = up.errors.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    guard let place = lines.firstIndex(where: { $0.hasSuffix("to let them ask:") }), lines.indices.contains(place + 1)
    else { throw HarnessError("no command is said: \(up)") }
    return lines[place + 1]
  }

  @Test(arguments: [
    "table inet host { chain input { type filter hook input priority 0; policy drop; ct state established accept; iif lo accept; } }",
    "table ip filter { chain INPUT { type filter hook input priority 0; policy drop; ct state established accept; iif lo accept; } }",
    "table inet host { chain input { type filter hook input priority 0; iif lo accept; ct state established accept; counter drop; } }",
  ])
  func theCommandThatUpSaysHelps(ruleset: String) throws {
    try Self.with { host in
      try host.write(ruleset.replacing("} }", with: "}\n}\n"), to: "fw.nft")
      try host.succeed("nft", "-f", "fw.nft")
      return nil
    } _: { host, up in
      #expect(up.errors.contains("services get no names"), "\(up)")
      #expect(try !Self.asks(host))
      let doctor = try host.run("stack", "doctor").output
      #expect(doctor.contains("services get no names"), "\(doctor)")
      try host.succeed("sh", "-c", Self.command(in: up))
      #expect(try Self.asks(host))
      // Nothing more is to be said.
      #expect(try !host.run("stack", "up", "web.stack").errors.contains("no names"))
      #expect(try !host.run("stack", "doctor").output.contains("services get no names"))
    }
  }

  /// ufw itself, with its settings in files of the host's own.
  @Test(.enabled(if: isHere("ufw"), "ufw is not installed: tools/setup --tests"))
  func ufwIsToldInItsOwnWords() throws {
    try Self.with { host in
      try host.succeed(
        "sh", "-c",
        """
        cp -r /etc/ufw ufw && cp /etc/default/ufw default && mount --bind ufw /etc/ufw && mount --bind default /etc/default/ufw
        ufw --force enable
        """)
      return nil
    } _: { host, up in
      #expect(up.errors.contains("table ip filter chain INPUT drops what it does not know"), "\(up)")
      #expect(try !Self.asks(host))
      let commands = up.errors.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        .filter { $0.hasPrefix("ufw ") }
      #expect(commands.count == 3)
      for command in commands { try host.succeed("sh", "-c", command) }
      #expect(try Self.asks(host))
      // ufw keeps them, and `up` sees them.
      try host.succeed("ufw", "reload")
      #expect(try Self.asks(host))
      #expect(try !host.run("stack", "up", "web.stack").errors.contains("ufw"))
    }
  }

  @Test(.enabled(if: isHere("firewalld") && isHere("dbus-daemon"), "firewalld is not installed: tools/setup --tests"))
  func firewalldLetsServicesAskWhenAskedForAndAfterAReload() throws {
    try Self.with { host in
      try host.succeed("sh", "-c", "mkdir -p /run/dbus && dbus-daemon --system --fork")
      let daemon = try host.start(["firewalld", "--nofork", "--nopid"])
      guard try host.eventually(within: .seconds(60), { try host.run("firewall-cmd", "--state").status == 0 }) else {
        throw HarnessError("firewalld does not start: \(daemon.output)")
      }
      return daemon
    } _: { host, up in
      #expect(up.errors.contains("table inet firewalld chain filter_INPUT rule"), "\(up)")
      #expect(try Self.command(in: up) == "stack doctor --fix")
      #expect(try !Self.asks(host))
      _ = try host.run("stack", "doctor", "--fix")
      #expect(try Self.asks(host))
      try host.succeed("firewall-cmd", "--reload")
      #expect(try host.eventually { try Self.asks(host) })
      #expect(try !host.run("stack", "up", "web.stack").errors.contains("firewalld"))
      _ = try host.run("stack", "doctor", "--unfix")
      #expect(try !Self.asks(host))
    }
  }

  /// The iptables rules of libvirt (`virsh net-start`) and podman (netavark) match only their own packets.
  @Test func rulesOfLibvirtAndPodmanAreLeftAlone() throws {
    let rules = """
      *filter
      :INPUT ACCEPT [0:0]
      :FORWARD ACCEPT [0:0]
      :OUTPUT ACCEPT [0:0]
      :LIBVIRT_INP - [0:0]
      :LIBVIRT_FWI - [0:0]
      :LIBVIRT_FWO - [0:0]
      :NETAVARK_FORWARD - [0:0]
      -A INPUT -j LIBVIRT_INP
      -A FORWARD -m comment --comment "netavark firewall rules" -j NETAVARK_FORWARD
      -A FORWARD -j LIBVIRT_FWI
      -A FORWARD -j LIBVIRT_FWO
      -A LIBVIRT_INP -i virbr0 -p udp -m udp --dport 53 -j ACCEPT
      -A LIBVIRT_FWI -d 192.168.122.0/24 -o virbr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      -A LIBVIRT_FWI -o virbr0 -j REJECT --reject-with icmp-port-unreachable
      -A LIBVIRT_FWO -s 192.168.122.0/24 -i virbr0 -j ACCEPT
      -A LIBVIRT_FWO -i virbr0 -j REJECT --reject-with icmp-port-unreachable
      -A NETAVARK_FORWARD -d 10.88.0.0/16 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      -A NETAVARK_FORWARD -s 10.88.0.0/16 -j ACCEPT
      COMMIT

      """
    try Self.with { host in
      try host.write(rules, to: "rules")
      try host.succeed("sh", "-c", "iptables-restore <rules")
      return nil
    } _: { host, up in
      #expect(!up.errors.contains("warning"), "\(up)")
      #expect(try Self.asks(host))
      let after = try host.succeed("iptables", "-S")
      #expect(after.contains("-A LIBVIRT_FWI -o virbr0 -j REJECT") && !after.contains("web-default"))
    }
  }
}

/// True if a program of the host's administrator is installed.
private func isHere(_ program: String) -> Bool {
  ["/usr/sbin", "/usr/bin"].contains { access("\($0)/\(program)", X_OK) == 0 }
}
