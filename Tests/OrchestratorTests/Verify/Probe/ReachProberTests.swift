import Glibc
import Testing
@testable import Addresses
@testable import Host
@testable import Kernel
@testable import Runtime
@testable import Verify

/// Two network namespaces with a cable between them, which nothing else sees and which go with it.
private final class Cable {
  let places: [ProbePlace]
  private let namespaces: [SharedNamespace]

  /// No address that the kernel makes up: it is tentative for a second, and until then nobody is answered.
  /// Nor is anybody before the kernel has told IPv6 of the link's carrier.
  init() throws {
    try #require(shell("command -v ping").status == 0, "no ping: tools/setup --tests installs it (iputils-ping)")
    namespaces = try (0..<2).map { _ in SharedNamespace(try NetworkNamespace.create(disablesIPv6: false)) }
    places = zip(["a", "b"], namespaces).map { ProbePlace($0, namespace: $1) }
    try run(0, "ip link add eth0 type veth peer name eth0 netns \(path(1))")
    for number in 0...1 {
      try run(
        number,
        """
        ip link set eth0 addrgenmode none; ip addr add 10.9.0.\(number + 1)/24 dev eth0;
        ip addr add fd09::\(number + 1)/64 dev eth0 nodad; ip link set eth0 up
        """)
    }
    try run(0, "for i in $(seq 50); do ping -c 1 -W 0.1 fd09::2 && exit; done; exit 1")
  }

  private func path(_ number: Int) -> String { "/proc/\(getpid())/fd/\(namespaces[number].descriptor.rawValue)" }

  @discardableResult
  func run(_ number: Int, _ line: String) throws -> String {
    let outcome = shell("nsenter --net=\(path(number)) sh -c '\(line)'")
    try #require(outcome.status == 0, "\(line): \(outcome.output)")
    return outcome.output
  }

  /// Rules of `b` for what comes in, and of `a` for what goes out.
  func filter(_ rules: String...) throws {
    let chain = "nft add table inet t; nft add chain inet t in \"{ type filter hook input priority 0; }\"; "
    try run(1, chain + rules.map { "nft add rule inet t in \($0)" }.joined(separator: "; "))
  }

  func ask(_ traffic: Traffic..., at address: String = "10.9.0.2") throws -> [ReachAnswer] {
    let destination = try #require(IPAddress(address))
    return try ReachProber(places).ask(
      traffic.map { traffic in
        ReachQuestion(
          source: "a", destination: destination, traffic: traffic,
          arrival: ReachQuestion.Arrival(place: "b", address: destination, port: traffic.port))
      })
  }

  /// A service of `b` that holds a port, for as long as `body` runs.
  func serving(_ kind: __socket_type, _ port: UInt16, _ body: () throws -> Void) throws {
    let address = IPAddress.v4(.any)
    let socket = try places[1].visit { () throws(KernelError) in
      let socket = try ProbeSocket(kind, for: address)
      if let error = socket.bind(to: Endpoint(address: address, port: port)) {
        throw KernelError("bind", "\(port)", errno: error)
      }
      if kind == SOCK_STREAM { _ = socket.listen() }
      return socket
    }
    try withExtendedLifetime(socket) { try body() }
  }
}

private let arrived = ReachAnswer.answered(ReachAnswer.Arrival(witness: .listener))
private let atService = ReachAnswer.answered(ReachAnswer.Arrival(witness: .service))

@Suite(.enabled(if: geteuid() == 0, "makes network namespaces"))
struct ReachProberTests {
  /// Of all questions among 30, so many pairs at a time. What both of a pair ask is asked in the same round.
  @Test func questionsOfAPairAreInOneRound() throws {
    let address = try #require(IPAddress("10.0.0.1"))
    let names = (0..<30).map { "s\($0)" }
    let questions = names.flatMap { source in
      names.filter { $0 != source }.map { other in
        ReachQuestion(
          source: source, destination: address, traffic: .echo,
          arrival: ReachQuestion.Arrival(place: other, address: address, port: 0))
      }
    }
    let rounds = ReachProber.rounds(questions, mostPairs: 100)
    #expect(rounds.flatMap(\.self).sorted() == Array(questions.indices))
    #expect(rounds.count == (30 * 29 / 2 + 99) / 100)
    for round in rounds {
      let ends = round.map { [questions[$0].source, questions[$0].arrival?.place ?? ""] }
      #expect(Set(ends).allSatisfy { ends.contains($0.reversed()) })
      #expect(Set(ends.map { $0.sorted() }).count <= 100)
    }
    #expect(ReachProber.rounds([]).isEmpty)
  }

  @Test func whatNothingHindersArrivesAtAListenerOfOurOwn() throws {
    let cable = try Cable()
    for address in ["10.9.0.2", "fd09::2"] {
      let answers = try cable.ask(.tcp(80), .udp(53), .echo, at: address)
      #expect(answers == [arrived, arrived, atService], "\(address)")
    }
    #expect(try cable.run(1, "ss -Hltun; ss -Hant") == "", "a listener is left")
    #expect(try cable.run(0, "ss -Hant") == "", "a connection is left")
  }

  @Test func aServicesOwnPortIsAskedAsItIs() throws {
    let cable = try Cable()
    try cable.serving(SOCK_STREAM, 80) {
      // It answers nothing: that the datagram came in is seen all the same.
      try cable.serving(SOCK_DGRAM, 53) {
        let answers = try cable.ask(.tcp(80), .udp(53))
        #expect(answers == [atService, atService])
      }
    }
  }

  @Test func refusalsAreToldFromSilence() throws {
    let cable = try Cable()
    try cable.filter(
      "tcp dport 81 reject with tcp reset", "tcp dport 82 reject with icmpx admin-prohibited", "tcp dport 83 drop",
      "udp dport 81 reject with icmpx port-unreachable", "udp dport 82 reject with icmpx admin-prohibited",
      "udp dport 83 drop")
    for address in ["10.9.0.2", "fd09::2"] {
      let answers = try cable.ask(
        .tcp(81), .tcp(82), .tcp(83), .tcp(84), .udp(81), .udp(82), .udp(83), .udp(84), at: address)
      let expected: [ReachAnswer] = [
        .refused(.port), .refused(.path), .silent, arrived, .refused(.port), .refused(.path), .silent, arrived,
      ]
      #expect(answers == expected, "\(address)")
    }
  }

  @Test func echoRequestsAreRefusedOrDropped() throws {
    let cable = try Cable()
    try cable.filter("icmp type echo-request reject with icmp host-prohibited", "icmpv6 type echo-request drop")
    #expect(try cable.ask(.echo) == [.refused(.path)])
    #expect(try cable.ask(.echo, at: "fd09::2") == [.silent])
  }

  @Test func whereThereIsNoRouteNothingIsSent() throws {
    let cable = try Cable()
    for address in ["10.10.0.1", "fd0a::1"] {
      #expect(try cable.ask(.tcp(80), .udp(80), .echo, at: address) == [.noRoute, .noRoute, .noRoute])
    }
  }

  @Test func aTranslatedSourceIsSeen() throws {
    let cable = try Cable()
    try cable.run(
      0,
      """
      ip addr add 10.9.0.7/24 dev eth0; nft add table ip n;
      nft add chain ip n post \"{ type nat hook postrouting priority 100; }\"; nft add rule ip n post snat to 10.9.0.7
      """)
    let seen = ReachAnswer.answered(
      ReachAnswer.Arrival(witness: .listener, translatedSource: IPAddress("10.9.0.7")))
    #expect(try cable.ask(.tcp(80), .udp(80)) == [seen, seen])
  }

  @Test func anAnswerFromElsewhereIsNotTakenForTheTargets() throws {
    let cable = try Cable()
    try cable.run(
      1,
      """
      ip addr add 10.9.0.8/24 dev eth0; nft add table ip n;
      nft add chain ip n pre \"{ type nat hook prerouting priority -100; }\"; nft add rule ip n pre tcp dport 80 dnat to 10.9.0.8:90
      """)
    try cable.serving(SOCK_STREAM, 90) {
      let answers = try cable.ask(.tcp(80))
      #expect(answers == [.answered(ReachAnswer.Arrival(witness: .stranger))])
    }
  }

  @Test func aLostPacketIsSentAgain() throws {
    let cable = try Cable()
    // The first of each is lost.
    try cable.filter(
      "tcp dport 80 limit rate over 1/day burst 1 packets accept", "tcp dport 80 drop",
      "udp dport 80 limit rate over 1/day burst 1 packets accept", "udp dport 80 drop",
      "icmp type echo-request limit rate over 1/day burst 1 packets accept", "icmp type echo-request drop")
    #expect(try cable.ask(.tcp(80), .udp(80), .echo) == [arrived, arrived, atService])
  }

  @Test(arguments: [(80, 1), (82, 2)] as [(UInt16, Int)])
  func expectedSilenceIsHeardOnceWhereNothingIsLost(_ other: UInt16, _ count: Int) throws {
    let cable = try Cable()
    try cable.run(1, "nft add table inet t; nft add counter inet t silent")
    try cable.filter("tcp dport 81 counter name silent drop", "tcp dport 82 drop")
    let destination = try #require(IPAddress("10.9.0.2"))
    let questions = [80, other, 81].map { port in
      var question = ReachQuestion(
        source: "a", destination: destination, traffic: .tcp(port),
        arrival: ReachQuestion.Arrival(place: "b", address: destination, port: port))
      question.expectsAnswer = port != 81
      return question
    }
    #expect(try ReachProber(cable.places).ask(questions).last == .silent)
    let counter = try cable.run(1, "nft list counter inet t silent")
    #expect(counter.contains("packets \(count) "), "\(counter)")
  }

  @Test(arguments: [Traffic.echo, .udp(53), .tcp(80)])
  func windowsThatAreAnsweredAtOnceAreFollowedByTheNext(_ traffic: Traffic) throws {
    let cable = try Cable()
    let destination = try #require(IPAddress("10.9.0.2"))
    let question = ReachQuestion(
      source: "a", destination: destination, traffic: traffic,
      arrival: ReachQuestion.Arrival(place: "b", address: destination, port: traffic.port))
    var prober = ReachProber(cable.places)
    prober.window = 16
    let answers = try prober.ask(Array(repeating: question, count: 300))
    #expect(answers.count == 300 && answers.allSatisfy(\.isAnswered), "\(answers.count { !$0.isAnswered }) were not")
  }

  @Test func manyQuestionsAreSharedOutAndAnsweredInTheirOrder() throws {
    let cable = try Cable()
    try cable.filter("tcp dport 2000-2099 reject with tcp reset")
    let questions = (UInt16(1900)..<2100).flatMap { port in
      [("a", "b", "10.9.0.2"), ("b", "a", "10.9.0.1")].map { source, place, address in
        let destination = IPAddress(address) ?? .v4(.any)
        return ReachQuestion(
          source: source, destination: destination, traffic: .tcp(port),
          arrival: ReachQuestion.Arrival(place: place, address: destination, port: port))
      }
    }
    var prober = ReachProber(cable.places)
    prober.fewest = 1
    let answers = try prober.ask(questions)
    for (question, answer) in zip(questions, answers) {
      let isRefused = question.source == "a" && question.traffic.port >= 2000
      #expect(answer == (isRefused ? .refused(.port) : arrived), "\(question)")
    }
  }

  @Test func whatIsLearnedOfNeighboursIsForgotten() throws {
    let cable = try Cable()
    try cable.run(0, "ip neigh flush dev eth0")
    #expect(try cable.ask(.echo) == [atService])
    #expect(try cable.run(0, "ip neigh show dev eth0 to 10.9.0.2") == "")
  }

  @Test func whoAnswersARequestInAnothersPlaceIsAStranger() throws {
    let cable = try Cable()
    // The address that is asked for is somebody else's: b passes it on to itself.
    try cable.run(
      1,
      """
      nft add table ip n; nft add chain ip n pre \"{ type nat hook prerouting priority -100; }\";
      nft add rule ip n pre ip daddr 10.9.0.77 dnat to 10.9.0.2; ip neigh add proxy 10.9.0.77 dev eth0;
      sysctl -qw net.ipv4.ip_forward=1; ip addr add 10.9.0.77/32 dev lo
      """)
    let destination = try #require(IPAddress("10.9.0.77"))
    // It is to arrive at `a`, and never does.
    let answers = try ReachProber(cable.places).ask([
      ReachQuestion(
        source: "a", destination: destination, traffic: .echo,
        arrival: ReachQuestion.Arrival(place: "a", address: destination, port: 0))
    ])
    #expect(answers == [.answered(ReachAnswer.Arrival(witness: .stranger))])
  }

  @Test func manyQuestionsTakeNoLongerThanOne() throws {
    let cable = try Cable()
    try cable.filter("tcp dport 2000-3999 drop")
    let destination = try #require(IPAddress("10.9.0.2"))
    let questions = (UInt16(1000)..<3000).map { port in
      ReachQuestion(
        source: "a", destination: destination, traffic: .tcp(port),
        arrival: ReachQuestion.Arrival(place: "b", address: destination, port: port))
    }
    var prober = ReachProber(cable.places)
    // Some have to wait until others are answered.
    prober.window = 1500
    let answers = try prober.ask(questions)
    #expect(answers.prefix(1000).allSatisfy { $0 == arrived })
    #expect(answers.dropFirst(1000).allSatisfy { $0 == .silent })
  }
}
