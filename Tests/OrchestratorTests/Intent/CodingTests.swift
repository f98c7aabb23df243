import Addresses
import Foundation
import Testing
@testable import Host
@testable import Intent
@testable import Runtime
@testable import Supervision
@testable import Vocabulary

/// Values written to state files and sockets read back as they were.
@Suite struct CodingTests {
  private static func roundTrip<Value: Codable & Equatable>(_ value: Value) throws -> Bool {
    try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value)) == value
  }

  @Test func desiredStack() throws {
    let stack = try resolve(
      """
      services:
        web:
          command: [httpd, "-f"]
          scale: 2
          user: "33:33"
          working_dir: /srv
          environment: {A: "1"}
          domainname: example.com
          networks: {front: {aliases: [www]}, back: {gw_priority: 1}}
          ports: ["8080-8082:80"]
          volumes: ["data:/data", "/tmp:/host:ro", "/anonymous"]
          tmpfs: ["/run:size=64k,mode=700"]
          depends_on: {db: {condition: service_completed_successfully}}
          restart: on-failure:3
          stop_grace_period: 1m30s
          healthcheck: {test: "true", interval: 1s}
          labels: {team: blue}
        db: {command: [x], rootfs: {path: /srv/db, mode: direct}, networks: [back], restart: on-failure}
      networks: {front: {}, back: {internal: true}}
      volumes: {data: {}}
      """)
    #expect(try Self.roundTrip(stack))
    // Places are all equal to each other, so they are looked at by themselves.
    let read = try JSONDecoder().decode(DesiredStack.self, from: JSONEncoder().encode(stack))
    #expect(read.services.map { $0.declaredAt?.description } == stack.services.map { $0.declaredAt?.description })
    #expect(read.services.allSatisfy { $0.declaredAt?.description.hasPrefix("web.stack:") == true })
  }

  /// Each field reads back, and the kind shows by its key, as in the records of earlier versions.
  @Test(
    arguments: [
      (DesiredNetwork.Kind.bridge, nil), (.macvlan(parent: "eth0"), "parent"),
      (.vxlan(DesiredTunnel(link: "far", id: 42, remote: .v4(.loopback), port: 4789)), "tunnel"),
    ] as [(DesiredNetwork.Kind, String?)])
  func network(kind: DesiredNetwork.Kind, key: String?) throws {
    let subnet = try #require(IPv4Prefix("10.9.0.0/24"))
    let ipv6 = DesiredNetwork.IPv6(subnet: try #require(IPv6Prefix("fd00::/64")), gateway: .loopback)
    var network = DesiredNetwork(
      name: "n", bridge: "b", mac: MACAddress(bits: 7), subnet: subnet, gateway: .loopback, isInternal: true,
      mtu: 1400, owner: "other", kind: kind, vlans: [DesiredVLAN(id: 10)], givenName: "given", ipv6: ipv6)
    #expect(try Self.roundTrip(network))
    (network.isInternal, network.mtu, network.owner) = (false, nil, nil)
    (network.vlans, network.givenName, network.ipv6) = ([], nil, nil)
    #expect(try Self.roundTrip(network))
    let record = try JSONSerialization.jsonObject(with: JSONEncoder().encode(network)) as? [String: Any]
    let usual: Set = ["name", "bridge", "mac", "subnet", "gateway"]
    #expect(Set(try #require(record).keys) == usual.union([key].compactMap(\.self)))
  }

  /// Defaults are left out. A record that contains them decodes to the same value.
  @Test func theUsualIsNotWrittenDown() throws {
    let service = try #require(try resolve("services: {a: {command: [x]}}").services.first)
    let text = String(decoding: try JSONEncoder().encode(service), as: UTF8.self)
    for key in ["mounts", "limits", "settings", "security", "stop", "restart", "namespace", "forwards", "labels"] {
      #expect(!text.contains("\"\(key)\""), "\(text)")
    }
    let complete =
      text.dropLast() + """
        ,"mounts":[],"restart":{"no":{}},"namespace":{"own":{}},"forwards":false,"labels":{},
        "settings":{"deviceRules":[],"devices":[],"groups":[],"ipc":{"own":{}},"kernelParameters":{},"limits":[],
        "pid":{"own":{}},"usesHostNames":false},"stop":{"grace":[0,10000000000000000000],"signal":15}}
        """
    #expect(try JSONDecoder().decode(DesiredService.self, from: Data(complete.utf8)) == service)
  }

  @Test(arguments: [
    "8081->80/tcp", "127.0.0.1:53->53/udp", "[::1]:8080->80/tcp from 10.0.0.0/8,fd00::/8\tdir with\ttab/x.stack:9",
  ])
  func publishedPort(_ text: String) throws {
    let port = try #require(PublishedPort(text))
    #expect(port.description == text)
    #expect(try Self.roundTrip(port))
  }

  @Test(arguments: [
    "", "80", "80->", "->80/tcp", "x->80/tcp", "80->80", "80->80/icmp", "80->80/tcp from", "80->80/tcp from x",
    "1.2.3:80->80/tcp", "80-80/tcp", "80->80/tcp by 10.0.0.0/8",
  ])
  func noPublishedPort(_ text: String) {
    #expect(PublishedPort(text) == nil)
  }

  @Test(arguments: ["a -> b:80", "  a  ->  b ", "label:tier=x\ty -> b", "label:a=b: c -> [fd00::/8]:icmp"])
  func rule(_ text: String) throws {
    let rule = try #require(PolicyRule("deny: \(text)", declaredAt: SourceLine("a\tb/x.stack:3")))
    #expect(rule.text == text)
    let read = try JSONDecoder().decode(PolicyRule.self, from: JSONEncoder().encode(rule))
    #expect(read == rule && read.declaredAt?.description == "a\tb/x.stack:3")
  }

  @Test(arguments: ["", "allow", "allow: a", "maybe: a -> b", "allow: a -> b:icmp/80", "deny: a -> 10.0.0.0/33"])
  func noRule(_ text: String) {
    #expect(PolicyRule(text) == nil)
  }

  @Test func serviceRecord() throws {
    var record = ServiceRecord(service: "web-1")
    #expect(try Self.roundTrip(record))
    record.phase = .restarting
    record.process = ProcessIdentity(pid: 412, startTime: 73201, bootID: "7e1c")
    (record.startedAt, record.finishedAt, record.exitCode) = (1.5, 2.25, 137)
    let result = ServiceRecord.Health.Result(startedAt: 1.5, finishedAt: 2.25, exitCode: 1, output: "no\n\u{1b}")
    (record.restarts, record.health, record.isStoppedByHand) = (
      3, .init(status: .unhealthy, failures: 3, results: [result]), true
    )
    #expect(try Self.roundTrip(record))
  }

  @Test func operationEvent() throws {
    var error = StackError("web/web1", "is not ready", remedy: "wait")
    error.logLines = ["a \"quoted\" line", ""]
    #expect(try Self.roundTrip(OperationEvent(.failed, service: "web1", text: "böse\n", errors: [error])))
    #expect(try Self.roundTrip(OperationEvent(.finished)))
  }
}
