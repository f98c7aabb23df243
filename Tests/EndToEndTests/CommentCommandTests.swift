import Foundation
import Testing

/// The commands in the comments at the top of each file in stacks/, typed one after another at a terminal. Each does what its
/// comment says.
@Suite struct CommentCommandTests {
  /// The output of each command, as a regular expression, by the commands in their order. Those that bring a stack up or take it
  /// down are the same everywhere.
  private static let prints: [String: [String]] = [
    "labs/allow-list.stack": ["denied by .*, deny: cache -> db", #"\d+ +\d+ +.*allow: web\* -> api:80"#],
    "labs/bgp.stack": [
      #"as2 +BGP .* Established[\s\S]*as3 +BGP .* Established"#,
      #"as_path: 65003\s[\s\S]*as_path: 65002 65003\s"#,
      #" 1  10\.90\.1\.3 .*\s+2  10\.90\.13\.2 .*\s+3  10\.90\.3\.2 "#,
      #"as1:as3 +egress +down"#, #"as1:as3 +egress +up"#,
    ],
    "labs/broken-route.stack": [
      "no answer comes back: r2 has no route to 10.40.1.2", "100% packet loss",
      #"ICMP echo request[\s\S]*ICMP echo reply"#, #"^(?![\s\S]*10\.40\.1\.0)[\s\S]*10\.40\.2\.0/24 dev"#,
    ],
    "labs/dmz.stack": [
      #" 1  10\.30\.1\.2 .*\s+2  10\.30\.2\.3 "#, "denied by .*, deny: network:wan -> network:lan,network:dmz",
    ],
    "labs/leaf-spine.stack": [
      #"10\.81\.2\.0/24.*\s+nexthop .*\s+nexthop "#, "3 received", "3 received", #"leaf-spine-lan1 +UP\s*$"#,
    ],
    "labs/ospf.stack": [
      #"Full/.*left:[\s\S]*Full/.*right:"#, #"10\.80\.3\.0/24 .*proto ospf"#,
      #" 1  10\.80\.1\.3 [\s\S]* 4  10\.80\.3\.2 "#, "50 packets transmitted, (4[0-9]|50) received",
      #"r1:r2 +egress +down"#,
      #"10\.80\.3\.0/24 .*via 10\.80\.41\.1 "#, #"r1:r2 +egress +up"#,
    ],
    "labs/ring.stack": [
      #" 1  10\.50\.1\.\d+ .*\s+2  10\.[\d.]+ .*\s+3  10\.50\.2\.2 "#, #"10\.50\.2\.0/24 via 10\.[\d.]+ dev"#,
    ],
    "labs/slow-link.stack": [#"^\d{7,}\s*$"#, #"^(1[0-2]\d{4}|9\d{4})\s*$"#, #"3 received[\s\S]*= 0\.\d+/"#],
    "labs/tiers.stack": ["predicted no: .*no rule leads from one to the other", "Could not resolve host: db"],
    "labs/vlan-trunk.stack": [
      #" 1  10\.7\.10\.1 .*\s+2  10\.7\.20\.2 "#, #"eth0.* 10\.7\.0\.2/24[\s\S]*eth0\.10[\s\S]*eth0\.20"#,
      #"10\.7\.10\.2 > 10\.7\.20\.2: ICMP echo request"#,
    ],
    "depends.stack": [#"prepare +exited with 0.*\s+server +running .*\s+client +running "#, "prepared by prepare"],
    "nginx.stack": ["nginx web1<", "nginx web1<", #"10\.208\.0\.4 - .*"GET / "#],
    "web.stack": [
      "This is web1<", "This is web1<", "This is web2<", #"^(?![\s\S]*uplink)[\s\S]*: lo: [\s\S]*: eth0@"#,
    ],
  ]

  /// The commands that run in another terminal while one waits for Ctrl-C.
  private static let meanwhile = [
    "stack exec server tcpdump -ni eth0": "stack exec client ping -c 4 10.40.2.3",
    "stack exec router tcpdump -ni eth0.10": "stack exec alice ping -c 4 carol", "stack logs -f web1": "true",
  ]
  /// The command that a comment asks for after its own, and the output of that.
  private static let afterwards = [
    "stack link as1:as3 --down": ("stack exec h1 traceroute -n 10.90.3.2", #"10\.90\.12\.2 .*\s+3  10\.90\.23\.2 "#)
  ]
  /// The one that goes on while the next ones are typed.
  private static let goesOn = "stack exec h1 ping -i 0.2 -c 50 10.80.3.2"
  private static let failing = [
    "stack exec web1 curl -m 2 http://db": 6, "stack exec client ping -c 1 -W 1 10.40.2.3": 1,
  ]

  /// `#   stack ps web        what it shows`
  private static func commands(in file: String) throws -> [String] {
    let text = try String(contentsOfFile: Repository.stackFile(file), encoding: .utf8)
    return text.split(separator: "\n").prefix { $0.hasPrefix("#") }.compactMap { line in
      line.wholeMatch(of: /#   ((?:stack|curl|ip) .*?)(?:\s\s.*)?/).map { String($0.1) }
    }
  }

  /// Types a command at a terminal, and keys once it shows something. Meanwhile, what is to run beside it runs in another.
  private func type(
    _ command: String, once pattern: String = "", keys: String = "", on host: ThrowawayHost
  ) throws -> Subprocess {
    let words = keys.isEmpty ? [command] : [command, pattern, keys]
    let quoted = words.map { "'\($0.replacing("'", with: "'\\''"))'" }.joined(separator: " ")
    let beside = Self.meanwhile[command].map { "(sleep 1; \($0)) >/dev/null 2>&1 &" } ?? ""
    let script = "\(Repository.root)/Tests/EndToEndTests/Scripts/type-command.py"
    return try host.start(["bash", "-c", "cd \(Repository.root); \(beside) python3 \(script) \(quoted)"])
  }

  private func text(_ outcome: Outcome) -> String {
    outcome.output.replacing(/\u{1B}\[[0-9;?]*[A-Za-z]|\r|\0/, with: "")
  }

  private func expect(_ pattern: String, _ command: String, on host: ThrowawayHost, keys: String = "") throws {
    var outcome: Outcome?
    let says = try Regex(pattern)
    // Daemons take a moment to find another way, and servers to write a line.
    _ = host.eventually(within: .seconds(20)) {
      outcome = try? type(command, once: pattern, keys: keys, on: host).wait(limit: .seconds(120))
      guard let outcome else { return false }
      return text(outcome).contains(says)
    }
    guard let outcome else { return }
    #expect(text(outcome).contains(says), "\(command) prints \(pattern): \(outcome)")
    if keys.isEmpty { #expect(outcome.status == Int32(Self.failing[command] ?? 0), "\(command): \(outcome)") }
  }

  @Test(arguments: PrintedPlanTests.files) func eachDoesWhatItsCommentSays(_ file: String) throws {
    var prints = try #require(Self.prints[file], "nothing is known of \(file)")[...]
    try ThrowawayHost.with { host in
      var running: (command: String, process: Subprocess, pattern: String)?
      for command in try Self.commands(in: file) {
        if command.hasPrefix("stack up ") || command.hasPrefix("stack down ") {
          if let last = running, command.hasPrefix("stack down ") {
            let outcome = try last.process.wait(limit: .seconds(60))
            #expect(try text(outcome).contains(Regex(last.pattern)), "\(last.command): \(outcome)")
            running = nil
          }
          let removesVolumes = command.hasPrefix("stack down -v ")
          let outcome = try type(command, once: #"\[y/N\]"#, keys: removesVolumes ? #"y\r"# : "", on: host)
            .wait(limit: .seconds(120))
          let end = command.hasPrefix("stack up ") ? "running |0 wrong of" : "is down"
          #expect(try outcome.status == 0 && text(outcome).contains(Regex(end)), "\(command): \(outcome)")
          continue
        }
        let next = prints.popFirst()
        let pattern = try #require(next, "\(file): what does \(command) print?")
        if command == Self.goesOn {
          running = (command, try type(command, on: host), pattern)
        } else if Self.meanwhile[command] != nil {
          try expect(pattern, command, on: host, keys: #"\x03"#)
        } else {
          try expect(pattern, command, on: host)
        }
        if let (next, says) = Self.afterwards[command] { try expect(says, next, on: host) }
      }
      #expect(prints.isEmpty, "\(file) has no commands that print \(prints)")
    }
  }
}
