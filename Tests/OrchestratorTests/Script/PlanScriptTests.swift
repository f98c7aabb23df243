import TestSupport
import Testing
@testable import Intent
@testable import Planning
@testable import Script

/// The script as a whole: in which order its parts stand.
@Suite struct PlanScriptTests {
  private func script(_ text: String) throws -> [String] {
    let plan = Planner.up(try resolve(text), recorded: nil, observed: [:])
    return PlanScript(plan, folders: StateFolders(), hostResolver: "").text.split(separator: "\n").map(String.init)
  }

  @Test func itsFirstLinesAreComments() throws {
    let lines = try script("services: {a: {command: [x]}}")
    #expect(lines.prefix(while: { $0.hasPrefix("#") }).last == "# a: created")
    #expect(lines[0] == "#!/bin/bash")
  }

  @Test func startsComeLastAndWithTheWordNetworkNotAtAll() throws {
    let lines = try script(
      """
      services:
        b: {command: [x], depends_on: {a: {condition: service_completed_successfully}}, expose: ["80"]}
        a: {command: [x], expose: ["81"]}
        c: {command: [x], depends_on: {a: {condition: service_completed_successfully, required: false}}}
      """)
    let cut = try #require(lines.firstIndex(of: "[[ ${1-} != network ]] || exit 0"))
    #expect(!lines[..<cut].contains { $0.hasPrefix("start ") })
    let rest = lines[cut...].filter { line in
      ["start ", "wait ", "await_port ", "[[ -z ${pids", "ip ", "nft "].contains { line.hasPrefix($0) }
    }.map { $0.split(separator: " ").prefix($0.hasPrefix("[[") ? 100 : 2).joined(separator: " ") }
    #expect(
      rest == [
        "start web/a", #"[[ -z ${pids[a]-} ]] || wait "${pids[a]}""#, "start web/b",
        #"[[ -z ${pids[a]-} ]] || wait "${pids[a]}" || true"#, "start web/c", "await_port a", "await_port b",
      ])
  }

  @Test func onlyWhatIsUsedIsDefined() throws {
    let lines = try script("services: {a: {command: [x]}}")
    #expect(
      lines.contains("start() { # STACK/SERVICE OUTPUT COMMAND…") && !lines.contains { $0.hasPrefix("first_process()") }
    )
    let empty = PlanScript(Plan(stages: []), folders: StateFolders()).text
    #expect(!empty.contains("()"))
  }

  /// A name, a command, a label or a variable of a file is never more than a word.
  @Test func nothingOfAFileIsACommand() throws {
    let evil = #"1\n  touch /PWNED #\nEOF\ntouch /PWNED\n$$(touch /PWNED)`touch /PWNED`'; touch /PWNED; '"#
    let lines = try script(
      """
      services:
        a:
          command: [sleep, "\(evil)"]
          labels: {"x": "\(evil)"}
          environment: {A: "\(evil)"}
          hostname: a
          volumes: ["/srv:/a $$(touch /PWNED)"]
          tmpfs: ["/b;touch /PWNED"]
      """)
    #expect(lines.contains { $0.contains("PWNED") })
    for line in lines where line.contains("PWNED") {
      let words = line.trimmingPrefix(while: \.isWhitespace)
      #expect(
        ["# start a: ", "exec env -i ", "bind_inside ", "mount_inside "].contains { words.hasPrefix($0) }, "\(line)")
    }
    let folder = try TemporaryFolder()
    try folder.write("plan.sh", lines.joined(separator: "\n") + "\n")
    #expect(shell("bash -n \(folder.path)/plan.sh").output == "")
  }

  /// Bash expands nothing within single quotation marks.
  @Test func noNameOfALinkIsACommand() throws {
    let lines = try script(
      """
      services:
        a:
          command: [x]
          networks: {front: {interface_name: "$$(>PWN1)", rate: 1mbit}}
          devices: ["/dev/null:/dev/$$(touch PWN2)", "/dev/zero:/dev/`>PWN3`"]
        b: {command: [x]}
      networks:
        front: {enable_ipv6: true}
      links: [{ends: {a: {address: 10.55.0.1/30, interface_name: "$$(>PWN5)"}, b: {address: 10.55.0.2/30, interface_name: "`>PWN6`"}}}]
      """)
    for line in lines where line.contains("PWN") && !line.hasPrefix("#") {
      let open = line.split(separator: "'", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 0 }
      #expect(!open.contains { $0.element.contains("PWN") }, "\(line)")
    }
    for name in ["PWN1", "PWN2", "PWN5"] { #expect(lines.contains { $0.contains(name) }, "\(name)") }
  }

  @Test func aStopIsTheServicesOwnSignal() throws {
    let stack = try resolve(
      "services: {a: {command: [x], stop_signal: SIGUSR1, stop_grace_period: 2s}, b: {command: [x]}}")
    let commands = Planner.stop(stack.services, in: stack).steps.map { $0.commands(folders: StateFolders()) }
    #expect(
      commands == [
        ["pid=$(first_process web/a)", "[[ -z $pid ]] || kill -10 \"$pid\"", "await_end web/a 2"],
        ["pid=$(first_process web/b)", "[[ -z $pid ]] || kill -15 \"$pid\"", "await_end web/b 10"],
      ])
  }
}
