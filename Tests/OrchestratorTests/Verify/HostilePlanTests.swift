import Addresses
import Testing
@testable import Intent
@testable import Resolve
@testable import Verify

/// The frames that are tried: all kinds that the file does not allow, and none that it allows.
@Suite struct HostilePlanTests {
  private func plan(_ text: String, only: [String] = []) throws -> HostilePlan {
    var selection = VerifySelection()
    selection.only = only
    return HostilePlan(try resolve(text), selection, firstPort: 20_000)
  }

  /// `evil -> db source`
  private func tried(_ plan: HostilePlan) -> Set<String> {
    Set(plan.attempts.flatMap { attempt in attempt.victims.map { "\(attempt.attacker) -> \($0) \(attempt.kind)" } })
  }

  private static let open = """
    services:
      a: {command: [x], networks: [front]}
      b: {command: [x], networks: [front]}
      c: {command: [x], networks: [back]}
    networks: {front: {subnet: 10.1.0.0/24}, back: {subnet: 10.2.0.0/24}}
    """

  @Test func whereAllMayTalkNamesAreForgedAllTheSame() throws {
    let plan = try plan(Self.open)
    let tried = tried(plan)
    for kind in ["source", "unused", "elsewhere", "loopback", "hardware", "claim", "router", "tag", "linkLocal"] {
      #expect(tried.contains("a -> b \(kind)"), "\(kind)")
    }
    // A neighbour may be sent all that is honest.
    for kind in ["further", "reply"] { #expect(!tried.contains("a -> b \(kind)"), "\(kind)") }
    #expect(!plan.attempts.contains { $0.kind == .group && $0.victims != [HostilePlan.host] })
    // Another network is closed to both.
    for attempt in plan.attempts {
      guard let question = attempt.question?.packet else { continue }
      #expect(Set(question.addresses) == Set(attempt.frame.packet.addresses), "what is put back afterwards")
    }
    #expect(tried.isSuperset(of: ["a -> c reply", "a -> c elsewhere", "c -> a reply", "a -> c source"]))
    #expect(tried.isSuperset(of: ["a -> the host source", "a -> the host loopback", "a -> the host group"]))
  }

  @Test func whatARuleRefusesIsTriedByOtherWays() throws {
    let plan = try plan(
      Self.open + "\nlinks: [{ends: {c: 10.55.0.1/30, b: 10.55.0.2/30}}]\npolicies: [{deny: \"a -> b:80\"}]")
    let further = plan.attempts.filter { $0.kind == .further && $0.attacker == "a" }
    #expect(further.contains { $0.words == "TCP from 10.1.0.2 to 10.55.0.2, which is not on the network" })
    #expect(!plan.attempts.contains { $0.kind == .further && $0.attacker == "b" })
    // TCP goes to no group.
    #expect(!plan.attempts.contains { $0.kind == .group && $0.victims.contains("b") })
    let closed = try self.plan(Self.open.replacingOccurrences(of: "10.1.0.0/24", with: "10.1.0.0/24, default: deny"))
    #expect(closed.attempts.contains { $0.kind == .group && $0.victims == ["b"] })
  }

  @Test func noFrameIsWhatTheFileGrants() throws {
    let text = """
      services:
        r: {command: [x], networks: {lan: {claims: [10.1.0.254]}, wan: {}}, forward: true}
        a: {command: [x], networks: [lan]}
        b: {command: [x], networks: [wan]}
        vm: {command: [x], networks: {lan: {claims: [any]}}}
      networks: {lan: {subnet: 10.1.0.0/24}, wan: {subnet: 10.2.0.0/24}}
      """
    let plan = try plan(text)
    let router = try #require(plan.own.first { $0.place == "r" && $0.network.name == "lan" })
    #expect(router.maySend(from: try #require(plan.own.first { $0.place == "b" }?.address(.v4))))
    #expect(!router.mayClaim(try #require(plan.own.first { $0.place == "b" }?.address(.v4))))
    #expect(router.mayClaim(try #require(IPAddress("10.1.0.254"))))
    let machine = try #require(plan.own.first { $0.place == "vm" })
    #expect(machine.mayClaim(try #require(IPAddress("10.1.0.99"))))
    #expect(!machine.mayClaim(try #require(plan.own.first { $0.place == "a" }?.address(.v4))))
    for attempt in plan.attempts {
      guard case .datagram(let sender, _) = attempt.frame.packet,
        [.source, .unused, .elsewhere].contains(attempt.kind),
        let attacker = plan.own.first(where: {
          $0.place == attempt.attacker && $0.attachment.interface == attempt.interface
        })
      else { continue }
      #expect(!attacker.maySend(from: sender.address), "\(attempt)")
    }
  }

  @Test func addressesOnOtherNetworksAreTriedByASharedOne() throws {
    let text = """
      services:
        a: {command: [x], networks: [front]}
        b: {command: [x], networks: [front, back]}
        r: {command: [x], networks: [front, back], forward: true}
      networks: {front: {subnet: 10.1.0.0/24}, back: {subnet: 10.2.0.0/24}}
      """
    func apart(_ text: String) throws -> Set<String> {
      Set(tried(try plan(text)).filter { $0.hasSuffix(" apart") })
    }
    #expect(try apart(text) == ["a -> b apart", "r -> b apart"])
    #expect(try apart(text + "\npolicies: [{allow: \"a -> b\"}]") == ["r -> b apart"])
  }

  @Test func aMachineBesideTheHostTriesWhatIsNotForIt() throws {
    let text = """
      services:
        web:
          command: [x]
          networks: [front]
          ports: ["8080:80", "127.0.0.1:8081:80", {target: 80, published: "8082", from: [192.0.2.0/24]}]
      networks: {front: {subnet: 10.1.0.0/24}}
      """
    let machine = OutsideFoothold(
      interface: "wan", mac: MACAddress(bits: 1), addresses: [.v4: try #require(IPAddress("198.51.100.1"))],
      hostLink: "uplink", hostMAC: MACAddress(bits: 2), hostAddresses: [.v4: try #require(IPAddress("198.51.100.2"))])
    let plan = HostilePlan(try resolve(text), outside: [machine], firstPort: 20_000)
    let own = plan.attempts.filter { $0.attacker == HostilePlan.outside }
    let published = own.filter { $0.kind == .published }.map(\.words)
    #expect(
      Set(published) == [
        "TCP from 198.51.100.1 to 198.51.100.2:8081", "TCP from 198.51.100.1 to 127.0.0.1:8081",
        "TCP from 198.51.100.1 to 198.51.100.2:8082",
      ])
    #expect(Set(own.map(\.kind)) == [.source, .unused, .elsewhere, .loopback, .reply, .published])
    #expect(own.allSatisfy { $0.interface == "wan" && $0.frame.destination == MACAddress(bits: 2) })
    #expect(plan.controls.contains { $0.attacker == HostilePlan.outside && $0.witness == .link("uplink") })
  }

  @Test func portsAreOfOneAttemptEach() throws {
    let plan = try plan(Self.open)
    let questions = plan.attempts.compactMap(\.question)
    #expect(!questions.isEmpty && Set(questions).count == questions.count)
    // An answer turns its question round.
    for attempt in plan.attempts {
      guard case .datagram(let asker, let asked)? = attempt.question?.packet,
        case .datagram(let sender, let receiver) = attempt.frame.packet
      else { continue }
      #expect(sender == asked && receiver == asker)
    }
  }

  @Test func ofTwoThatAreNamedOnlyTheirs() throws {
    let tried = tried(try plan(Self.open, only: ["a", "b"]))
    #expect(!tried.isEmpty && tried.allSatisfy { $0.hasPrefix("a -> b ") || $0.hasPrefix("b -> a ") }, "\(tried)")
    let one = self.tried(try plan(Self.open, only: ["a"]))
    #expect(one.contains("a -> the host source") && one.allSatisfy { $0.hasPrefix("a ") || $0.contains("-> a ") })
  }

  @Test func manyServicesAreTriedInPart() throws {
    let text = """
      services: {a: {command: [x], networks: [front], deploy: {replicas: 120}}}
      networks: {front: {subnet: 10.1.0.0/16}}
      """
    let plan = try plan(text)
    #expect(plan.leftOut > 0 && plan.attempts.count < 100_000)
    let attackers = Set(plan.attempts.map(\.attacker))
    let victims = Set(plan.attempts.flatMap(\.victims)).subtracting([HostilePlan.host])
    #expect(attackers.count == 120 && victims.count == 120)
    #expect(plan.notes.contains { $0.hasPrefix("\(plan.leftOut) pairs are left out") })
  }

  // MARK: Words

  @Test func aFindingSaysWhatShouldHaveStoppedIt() throws {
    let plan = try plan(Self.open)
    let index = try #require(plan.attempts.firstIndex { $0.kind == .source && $0.victims == ["b"] })
    var outcome = HostileOutcome()
    outcome.arrivals[index] = ["b"]
    var findings = HostileVerifier.findings(plan.attempts, outcome)
    #expect(
      findings.map(\.complaint) == [
        """
        open: a -> b: another's address (source)
          sent: UDP from 10.1.0.1 to 10.1.0.3
          should have been stopped by chain addressed of table bridge stack-web/ports

        """
      ])
    findings[0].missing = Set(findings[0].guards)
    #expect(findings[0].complaint.contains("table bridge stack-web/ports, which is not there"))
    let verification = HostileVerification(
      stack: "web", kinds: [HostileVerification.Kind(kind: .source, tried: 2, open: 1)], findings: findings,
      unasked: ["c: it has no interface eth0"], notes: [], duration: .milliseconds(12))
    #expect(
      verification.text.hasPrefix(
        """
        kind    sent               tried  open
        source  another's address  2      !1    from a

        open: a -> b: another's address (source)
        """), "\(verification.text)")
    #expect(verification.text.hasSuffix("could not be asked: c: it has no interface eth0\n\n1 open of 2"))
    #expect(verification.json.contains("\"milliseconds\" : 12"))
    #expect(
      verification.junit.contains(
        "<testsuite name=\"web\" tests=\"2\" failures=\"2\" errors=\"0\" skipped=\"0\" time=\"0.012\">"))
  }
}
