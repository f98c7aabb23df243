import Foundation

/// The machine that asks.
enum Asker: Hashable {
  case host, outside
  case service(String)
}

/// One question to a server: a connection or a datagram, answered by the server's name and the asker's address as it sees it.
struct Question: Hashable {
  var transport: String
  var address: String
  var port: Int

  static func both(_ addresses: [String], port: Int = 80) -> [Question] {
    addresses.flatMap { address in
      ["tcp", "udp"].map { Question(transport: $0, address: address, port: port) }
    }
  }
}

/// A machine of the network cases has an answering server on each family and protocol, in Python, and a client beside it.
extension ThrowawayHost {
  /// The host's addresses on the uplink, of both families.
  static let addresses = [address, "2001:db8:1::2"]
  static let outsideAddresses = [outsideAddress, "2001:db8:1::1"]

  /// A service that answers on port 80, or on further ports.
  static func answering(_ name: String, ports: [Int] = [80], _ keys: String...) -> String {
    let numbers = ports.map { "\"\($0)\"" }.joined(separator: ", ")
    let lines =
      [
        "command: [python3, /answer.py, \(name), \(numbers)]",
        "volumes: [\"./answer.py:/answer.py:ro\", \"./ask.py:/ask.py:ro\"]",
        "expose: [\"80\", \"80/udp\"]",
      ] + keys
    return (["  \(name):"] + lines.map { "    \($0)" }).joined(separator: "\n") + "\n"
  }

  /// Writes the two programs, then brings a stack up.
  func upAnswering(_ stack: String, _ services: [String], _ tail: String = "") throws {
    try writePrograms()
    try up("name: \(stack)\nservices:\n" + services.joined() + tail, named: stack)
  }

  func writePrograms() throws {
    try write(Self.answer, to: "answer.py")
    try write(Self.ask, to: "ask.py")
  }

  /// Starts an answering server beside the stacks, and waits until it answers.
  func startAnswering(_ name: String, ports: [Int], from machine: Machine) throws -> Subprocess {
    try writePrograms()
    let server = try start(["python3", "answer.py", name] + ports.map(String.init), from: machine)
    let here = ports.map { Question(transport: "tcp", address: "127.0.0.1", port: $0) }
    let asker: Asker = machine == .host ? .host : .outside
    guard try eventually({ try ask(here, from: asker).allSatisfy { $0 != nil } }) else {
      throw HarnessError("\(name) does not answer")
    }
    return server
  }

  /// Asks all at once, and waits a second for answers.
  func ask(_ questions: [Question], from asker: Asker) throws -> [String?] {
    let words = questions.map { "\($0.transport)/\($0.address)/\($0.port)" }
    let outcome =
      switch asker {
      case .host: try start(["python3", "ask.py"] + words).wait(limit: .seconds(60))
      case .outside: try start(["python3", "ask.py"] + words, from: .outside).wait(limit: .seconds(60))
      case .service(let name):
        try start(["stack", "exec", name, "python3", "/ask.py"] + words).wait(limit: .seconds(60))
      }
    guard outcome.status == 0, outcome.lines.count == words.count else { throw HarnessError(outcome.description) }
    return outcome.lines.map { ["-", "!"].contains($0) ? nil : $0 }
  }

  /// True if each question is refused. A timeout does not count.
  func isRefused(_ questions: [Question], from service: String) throws -> Bool {
    let words = questions.map { "\($0.transport)/\($0.address)/\($0.port)" }
    let outcome = try start(["stack", "exec", service, "python3", "/ask.py"] + words).wait(limit: .seconds(60))
    return outcome.status == 0 && outcome.lines == words.map { _ in "!" }
  }

  /// Asks by TCP and UDP, and says which questions were not answered as expected. Empty: all is well.
  func wrong(_ expected: [String: String?], port: Int = 80, from asker: Asker) throws -> [String] {
    let questions = Question.both(expected.keys.sorted(), port: port)
    return try zip(questions, ask(questions, from: asker)).compactMap { question, answer in
      let wanted = expected[question.address] ?? nil
      return answer == wanted
        ? nil : "\(asker) to \(question): expected \(wanted ?? "nothing"), got \(answer ?? "nothing")"
    }
  }

  /// The addresses of a service, of both families, in the order of its networks.
  func addresses(of service: String) throws -> [String] {
    let fields = try ["IPAddress", "GlobalIPv6Address"].map { try field($0, of: service, as: String.self) }
    return fields.flatMap { $0.split(separator: ",").map(String.init) }
  }

  /// The addresses of the bridges that a service is on, as its routes have them.
  func gateways(ofNamespace name: String) throws -> [String] {
    try ["-4", "-6"].map { family in
      try succeed("sh", "-c", "ip netns exec \(name) ip \(family) -j route show default | jq -r '.[0].gateway'")
    }
  }

  private static let answer = """
    import socket, sys, threading

    def tcp(listener):
        while True:
            threading.Thread(target=say, args=listener.accept()).start()

    def say(connection, peer):
        connection.sendall(f"{sys.argv[1]} {peer[0]}\\n".encode())
        connection.shutdown(socket.SHUT_WR)
        # To close with something unread would be a reset.
        while connection.recv(2048):
            pass
        connection.close()

    def udp(server):
        while True:
            peer = server.recvfrom(2048)[1]
            server.sendto(f"{sys.argv[1]} {peer[0]}\\n".encode(), peer)

    for family in (socket.AF_INET, socket.AF_INET6):
        for port in sys.argv[2:]:
            for kind, serve in ((socket.SOCK_DGRAM, udp), (socket.SOCK_STREAM, tcp)):
                server = socket.socket(family, kind)
                server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                server.bind(("" if family == socket.AF_INET else "::", int(port)))
                if kind == socket.SOCK_STREAM:
                    server.listen(64)
                threading.Thread(target=serve, args=(server,)).start()
    """

  private static let ask = """
    import socket, sys, threading

    answers = ["-"] * len(sys.argv)

    def ask(index, transport, address, port):
        kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
        try:
            family = socket.getaddrinfo(address, port, type=kind)[0][0]
            asker = socket.socket(family, kind)
            asker.settimeout(1)
            asker.connect((address, int(port)))
            if transport == "udp":
                asker.send(b"who?")
            answers[index] = asker.recv(2048).decode().strip() or "-"
        except TimeoutError:
            pass
        except OSError:
            answers[index] = "!"

    threads = [threading.Thread(target=ask, args=(index, *word.split("/")))
               for index, word in enumerate(sys.argv) if index]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("\\n".join(answers[1:]))
    """
}
