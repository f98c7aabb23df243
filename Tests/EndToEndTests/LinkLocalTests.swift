import Foundation
import Testing

/// Link-local addresses beyond a stack's networks: where clouds give a machine its credentials.
///
/// One is on the outside machine, which the host has a route to, as in a cloud. One is the host's own.
@Suite struct LinkLocalTests {
  private static let beyond = "169.254.169.254"
  private static let own = "169.254.170.2"

  private func prepare(_ host: ThrowawayHost) throws {
    try host.succeed(
      "sh", "-c",
      """
      mkdir -p m && echo credentials >m/index.html
      nsenter --net=/run/throwaway/outside ip address add \(Self.beyond)/32 dev lo
      nsenter --net=/run/throwaway/outside busybox httpd -p \(Self.beyond):80 -h m
      ip route add 169.254.0.0/16 dev uplink
      ip address add \(Self.own)/32 dev lo
      busybox httpd -p \(Self.own):80 -h m
      """)
  }

  private static func stack(_ rest: String = "") -> String {
    "name: x\nservices: {web: {command: [sleep, infinity]}}\n\(rest)"
  }

  /// Checks that the service gets answers from both or not, and that `verify` finds lines right that expect just that.
  private func expect(_ host: ThrowawayHost, beyond: Bool, own: Bool, _ policies: String = "") throws {
    let lines = [(Self.beyond, beyond), (Self.own, own)].map { address, isOpen in
      "\(isOpen ? "allow" : "deny"): \"web -> \(address):80\""
    }
    try host.up(Self.stack("\(policies)\nexpect: [\(lines.joined(separator: ", "))]"), named: "x")
    for (address, isOpen) in [(Self.beyond, beyond), (Self.own, own)] {
      let answer = try host.get(address, inside: "web")
      #expect(answer == (isOpen ? "credentials" : nil), "\(policies): \(address)")
    }
    let verified = try host.run("stack", "verify", "x", "--expect")
    #expect(verified.status == 0, "\(policies): \(verified)")
  }

  @Test func areReachedByTheHostAlone() throws {
    try ThrowawayHost.with { host in
      try prepare(host)
      #expect(try host.get(Self.beyond) == "credentials")
      try expect(host, beyond: false, own: false)
      try expect(host, beyond: false, own: false, "policies: [allow: \"any -> any\"]")
      try expect(host, beyond: false, own: false, "policies: [allow: \"web -> internet,host\"]")
      try host.up(Self.stack(), named: "x")
      try host.killSupervisors()
      try host.succeed(
        "sh", "-c", "nft insert rule inet stack-x forward accept && nft insert rule inet stack-x input accept")
      for address in [Self.beyond, Self.own] {
        #expect(try host.get(address, inside: "web") == "credentials", "unguarded: \(address)")
      }
    }
  }

  @Test func areOpenedByARuleThatNamesThem() throws {
    try ThrowawayHost.with { host in
      try prepare(host)
      try expect(host, beyond: true, own: false, "policies: [allow: \"web -> \(Self.beyond)\"]")
      try expect(host, beyond: false, own: true, "policies: [allow: \"web -> \(Self.own):80\"]")
      try expect(host, beyond: true, own: true, "policies: [allow: \"web -> 169.254.0.0/16\"]")
    }
  }
}
