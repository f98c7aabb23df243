import Testing
@testable import Addresses
@testable import Intent
@testable import Verify
@testable import Vocabulary

/// The judgement of answers against predictions.
@Suite struct VerificationTests {
  @Test func whatIsAsPromisedIsRight() throws {
    let result = verification(of: try resolve(shop))
    #expect(result.wrong == 0)
    #expect(result.summary == "0 wrong of \(result.findings.count + 4)")
  }

  @Test func aWayThatShouldNotBeIsWrongAndSoIsTheExpectationAboutIt() throws {
    let answered = ReachAnswer.answered(ReachAnswer.Arrival(witness: .service))
    let result = verification(of: try resolve(shop), except: ["idle -> db:5432": answered])
    #expect(result.differences.map(\.check.name) == ["idle -> db:5432"])
    #expect(result.broken.map(\.rule.text) == ["web,idle -> db:5432"])
    #expect(result.text().contains("wrong: web.stack:17, deny: web,idle -> db:5432 does not hold\n"))
  }

  @Test func aWayThatIsMissingIsWrong() throws {
    let result = verification(of: try resolve(shop), except: ["api -> db:5432": .refused(.path)])
    #expect(result.differences.map(\.check.name) == ["api -> db:5432"])
    let address = try #require(result.finding("api -> db:5432")?.check.probes.first?.question.destination)
    #expect(
      result.text().contains(
        """
        wrong: api -> db:5432
          predicted yes: allowed by web.stack:11, allow: api -> db:5432
          observed no: \(address) refused (unreachable or prohibited)

        """))
  }

  @Test func ofSeveralAddressesItIsSaidWhichWereReached() throws {
    let stack = try resolve(
      """
      services: {a: {command: [x]}, b: {command: [x], expose: ["80"]}}
      networks: {default: {enable_ipv6: true}}
      """)
    let check = try #require(ReachMatrix(stack, nextHop: nil).checks().first { $0.name == "a -> b:80" })
    let addresses = check.probes.map { "\($0.question.destination)" }
    let finding = ReachFinding(
      check: check, answers: [.silent, .answered(ReachAnswer.Arrival(witness: .listener))])
    #expect(
      finding.complaint == """
        wrong: a -> b:80
          predicted yes: allowed by default in network default (web.stack:2)
          observed no by IPv4, yes by IPv6: \(addresses[0]) did not answer, \(addresses[1]) answered

        """)
    #expect(
      finding.details.contains(
        "  observed no by IPv4, yes by IPv6: \(addresses[0]) did not answer, \(addresses[1]) answered\n"))
  }

  @Test(arguments: [ReachAnswer.silent, .refused(.port), .refused(.path), .noRoute])
  func howItIsDeniedDoesNotMatter(_ answer: ReachAnswer) throws {
    #expect(verification(of: try resolve(shop), except: ["web -> db:5432": answer]).wrong == 0)
  }

  @Test func aStrangersAnswerIsNone() throws {
    let stranger = ReachAnswer.answered(ReachAnswer.Arrival(witness: .stranger))
    #expect(verification(of: try resolve(shop), except: ["api -> db:5432": stranger]).wrong == 2)
    #expect(verification(of: try resolve(shop), except: ["web -> db:5432": stranger]).wrong == 0)
  }

  @Test func aTranslatedSenderIsWrongBetweenServicesAndRightThroughAPublishedPort() throws {
    let translated = ReachAnswer.answered(
      ReachAnswer.Arrival(witness: .listener, translatedSource: .v4(.loopback)))
    let result = verification(
      of: try resolve(shop), except: ["api -> db:5432": translated, "host -> host:8080": translated])
    #expect(result.differences.map(\.check.name) == ["api -> db:5432"])
    #expect(result.text().contains("saw 127.0.0.1 as the sender"))
  }

  @Test func anExpectationBetweenTwoServicesOnACableIsJudged() throws {
    let cable = """
      services:
        a: {command: [x], network_mode: none}
        b: {command: [x], network_mode: none, expose: ["80"]}
      links:
        - ends: {a: 10.20.0.1/30, b: 10.20.0.2/30}
      expect:
        - allow: a -> b:80
      """
    let stack = try resolve(cable)
    let held = verification(of: stack)
    #expect(held.expectations.map(\.rule.text) == ["a -> b:80"])
    #expect(held.wrong == 0)
    let check = try #require(held.findings.first { $0.check.name.hasPrefix("a -> b:80") }?.check.name)
    let broken = verification(of: stack, except: [check: .silent])
    #expect(broken.broken.map(\.rule.text) == ["a -> b:80"])
  }

  @Test func anExpectationThatThePoliciesContradictDoesNotHold() throws {
    let result = verification(
      of: try resolve(shop.replacing("allow: api -> db:5432\n  -", with: "deny: api -> db:5432\n  -")))
    #expect(result.differences.isEmpty)
    #expect(result.broken.map(\.rule.line) == ["allow: api -> db:5432"])
  }

  @Test func whatComesFromOutsideIsJudgedByTheFile() throws {
    let outside = try resolve(shop.replacing("deny: internet -> db", with: "allow: internet -> db"))
    #expect(verification(of: outside).broken.map(\.isObserved) == [false])
    let published = try resolve(shop.replacing("deny: internet -> db:5432", with: "allow: internet -> web:80"))
    #expect(verification(of: published).wrong == 0)
  }

  // MARK: The internet

  private func outward() throws -> DesiredStack {
    try resolve(shop.replacing("internet:443\n", with: "internet:443\n  - allow: web -> internet:53/udp\n"))
  }

  @Test func onlyThatIsLeftOutWhereTheHostItselfHasNoAnswer() throws {
    let result = verification(
      of: try outward(), except: ["web -> internet:443": .silent, "web -> internet:53/udp": .silent],
      outside: [.udp(53): .silent])
    #expect(
      result.notes == ["checks of internet udp 53 left out: 198.51.100.1 did not answer when the host itself asks"])
    #expect(result.finding("web -> internet:53/udp") == nil && result.finding("idle -> internet:53/udp") == nil)
    #expect(!result.columns.contains { $0.label == "internet:53/udp" })
    #expect(result.finding("web -> internet icmp") != nil)
    #expect(result.differences.map(\.check.name) == ["web -> internet:443"])
  }

  @Test func aResetFromOutsideLeavesOutThoseWhoGotOneAndNoOthers() throws {
    let result = verification(
      of: try outward(), except: ["web -> internet:443": .refused(.port), "api -> internet:443": .silent])
    #expect(
      result.notes == [
        "checks of internet tcp 443 left out: a reset does not say whether it is of 198.51.100.1 or of the firewall"
      ])
    #expect(result.finding("web -> internet:443") == nil && result.finding("idle -> internet:443") != nil)
    #expect(result.differences.map(\.check.name) == ["api -> internet:443"])
  }

  @Test func anUnreachablePortOutsideIsAWayOut() throws {
    // The firewall refuses UDP in other words, so this came from outside. So did what the host was answered.
    for outside in [[:], [Traffic.udp(53): ReachAnswer.refused(.port)]] {
      let result = verification(
        of: try outward(), except: ["web -> internet:53/udp": .refused(.port)], outside: outside)
      #expect(result.notes.isEmpty && result.wrong == 0)
      #expect(result.finding("web -> internet:53/udp")?.isObserved == true)
    }
    // Inside it is no way.
    let inside = verification(of: try outward(), except: ["web -> api@front:53/udp": .refused(.port)])
    #expect(inside.differences.map(\.check.name) == ["web -> api@front:53/udp"])
  }

  @Test func anExpectationAboutTheInternetIsJudgedByThePromiseWhereNothingIsKnown() throws {
    let stack = try resolve(
      shop.replacing("deny: any -> api:22\n  - deny: internet", with: "allow: web -> internet\n  - deny: internet"))
    let held = verification(of: stack, outside: [.tcp(443): .silent, .echo: .noRoute])
    #expect(held.notes.count == 2 && held.wrong == 0)
    #expect(held.expectations.contains { $0.rule.text == "web -> internet" && $0.isMet })
    let broken = verification(of: stack, except: ["web -> internet icmp": .silent], outside: [.tcp(443): .silent])
    #expect(broken.broken.map(\.rule.text) == ["web -> internet"])
  }

  @Test(arguments: [
    ("deny: a -> lone", "lone has no address that is known: it is on no network, and on no link with one"),
    ("deny: a -> b:udp", "nothing is known to send to by udp: name a port of the destination, as in b:53/udp"),
    ("deny: there -> b", "there is on the host's own network: write host"),
  ])
  func aLineThatCannotBeTestedIsAnError(_ line: String, _ reason: String) throws {
    let stack = try resolve(
      """
      services:
        a: {command: [x]}
        b: {command: [x], expose: ["80"]}
        lone: {command: [x], network_mode: none}
        there: {command: [x], network_mode: host}
      expect: ["\(line)"]
      """.replacing("[\"\(line)\"]", with: "[{\(line)}]"))
    let result = verification(of: stack)
    #expect(result.expectations.map(\.obstacle) == [reason])
    #expect(result.wrong == 0 && result.unasked == 1)
    #expect(result.text().contains("\(line) cannot be tested\n  \(reason)\n"))
    #expect(result.junit.contains("errors=\"1\"") && result.junit.contains("<error message="))
    #expect(result.json.contains(reason))
  }

  @Test func inTwoNetworksTheSharedOneCounts() throws {
    let text = """
      services:
        a: {command: [x], networks: [one]}
        b: {command: [x], networks: [one, two], expose: ["80"]}
      networks: {one: {}, two: {}}
      expect:
        - allow: a -> b:80
      """
    #expect(verification(of: try resolve(text)).wrong == 0)
    let other = try resolve(text.replacing("allow: a", with: "deny: a"))
    #expect(verification(of: other).broken.first?.objections.count == 1)
  }

  @Test func onlySomeOfIt() throws {
    let stack = try resolve(shop)
    let matrix = ReachMatrix(stack, nextHop: hop)
    var selection = VerifySelection()
    selection.only = ["web", "api"]
    let pair = Verifier.checks(matrix, selection, of: stack)
    #expect(pair.allSatisfy { [.service("web"), .service("api")].contains($0.source) })
    #expect(pair.contains { $0.name == "api -> web:80" } && pair.contains { $0.name == "api -> host:8080" })
    selection.only = ["db"]
    let one = Verifier.checks(matrix, selection, of: stack)
    #expect(one.contains { $0.name == "api -> db:5432" } && one.contains { $0.name == "db -> web:80" })
    #expect(!one.contains { $0.name == "api -> web:80" })
  }
}

/// The formats of a report.
@Suite struct VerificationReportTests {
  private func sample() throws -> Verification {
    let text = """
      name: pair
      services:
        a: {command: [x], expose: ["80"]}
        b: {command: [x], expose: ["53/udp"]}
      policies:
        - deny: b -> a
      expect:
        - deny: b -> a:80
        - allow: a -> b:53/udp
      """
    let answered = ReachAnswer.answered(ReachAnswer.Arrival(witness: .service))
    return verification(of: try resolve(text), except: ["b -> a:80": answered])
  }

  @Test func asATable() throws { try Golden.expect(try sample().text(), "verify.txt") }
  @Test func asJSON() throws { try Golden.expect(try sample().json, "verify.json") }
  @Test func asJUnit() throws { try Golden.expect(try sample().junit, "verify.xml") }

  @Test func aNarrowTerminalGetsTheColumnsInGroups() throws {
    let lines = try sample().text(Verification.Style(width: 30)).split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 30 || $0.hasPrefix("wrong") || $0.hasPrefix("  ") })
    #expect(lines.count { $0.hasPrefix("host") } > 1)
  }

  @Test func whatWouldBeAWallOfTextIsLeftOut() throws {
    let text = "services: {web: {command: [x], scale: 60, expose: ['80', '81']}}"
    let lines = verification(of: try resolve(text)).text(Verification.Style(width: 80)).split(separator: "\n")
    #expect(lines.first == "61 rows and 122 columns are too wide to show here: --only a,b shows a part")
    #expect(lines.count == 2)
  }
}

/// The arguments of `stack reach`.
@Suite struct ReachRequestTests {
  private func request(_ text: String) throws -> ReachRequest { try ReachRequest(from: "a", to: text) }

  @Test func destinations() throws {
    #expect(try request("db:5432").traffic == .tcp(5432))
    #expect(try request("db:53/udp").traffic == .udp(53))
    #expect(try request("db/icmp").traffic == .echo)
    #expect(try request("db").traffic == nil)
    let there = try request("db@back:80/TCP")
    #expect(there.destination == "db" && there.network == "back" && there.traffic == .tcp(80))
  }

  @Test(arguments: ["", ":80", "db:", "db:0", "db:65536", "db:x", "db/udp", "db/sctp", "db:80/icmp", "db@:80"])
  func nonsense(text: String) {
    #expect(throws: StackErrors.self) { try ReachRequest(from: "a", to: text) }
  }

  @Test func aPortThatNobodyDeclaresIsAskedToo() throws {
    let stack = try resolve(shop)
    let request = try ReachRequest(from: "idle", to: "api:99")
    let matrix = ReachMatrix(stack, nextHop: hop, extra: ["api": [.tcp(99)]])
    // By the network that they share.
    #expect(try request.checks(in: stack, matrix).map(\.name) == ["idle -> api@front:99"])
  }

  private static let places = """
    services:
      web: {command: [x], networks: [front], scale: 2}
      db: {command: [x], networks: [back], expose: ["5432"]}
      side: {command: [x], network_mode: "service:db"}
      there: {command: [x], network_mode: host}
      bare: {command: [x], network_mode: none}
    networks: {front: {}, back: {}}
    links: [{ends: {db: 10.9.0.1/30, bare: 10.9.0.2/30}}]
    """

  @Test(arguments: [
    (
      "nobody", "db",
      "there is no nobody to be probed\n  there are: web-1, web-2, db, side, there, bare, host, internet"
    ),
    ("web-1", "db@front:5432", "db is not on front\n  it is on back, bare"),
    ("web-1", "web@back", "web is not on back\n  it is on front"),
    ("web-1", "host@nowhere", "host is not on nowhere\n  it is on front, back"),
    ("web-1", "side", "side is in the network of db\n  ask for it as: db"),
    ("there", "db", "there is on the host's own network\n  ask for it as: host"),
    ("db", "db", "db -> db cannot be probed: what somebody sends to himself passes no network"),
    ("host", "host", "host -> host cannot be probed: what somebody sends to himself passes no network"),
    (
      "host", "internet",
      "host -> internet cannot be probed: what the host sends beyond itself passes no network of the stack"
    ),
    ("host", "bare", "host -> bare cannot be probed: the host has no part in links between services"),
  ])
  func whatCannotBeProbedIsSaid(_ source: String, _ destination: String, _ message: String) throws {
    let stack = try resolve(Self.places)
    let request = try ReachRequest(from: source, to: destination)
    let matrix = ReachMatrix(stack, nextHop: hop, extra: request.traffic.map { [request.destination: [$0]] } ?? [:])
    let failure = #expect(throws: StackErrors.self) { try request.checks(in: stack, matrix) }
    #expect(failure?.description == "error: web: \(message)")
  }

  @Test func withoutAWayOutThereIsNoInternetToAsk() throws {
    let stack = try resolve(Self.places)
    let request = try ReachRequest(from: "db", to: "internet")
    let failure = #expect(throws: StackErrors.self) {
      try request.checks(in: stack, ReachMatrix(stack, nextHop: nil))
    }
    #expect(
      failure?.description == "error: web: the host has no default route, so nothing of the internet can be asked")
  }
}

extension String {
  fileprivate func replacing(_ text: String, with other: String) -> String {
    var result = self
    if let range = result.firstRange(of: text) { result.replaceSubrange(range, with: other) }
    return result
  }
}
