import Foundation
import Testing

/// A person's session at a terminal, with the screens that it shows.
@Suite struct SessionTests {
  private static let file = """
    services:
      nginx:
        command: [busybox, httpd, -f, -p, "80", -h, /usr/share]
        depends_on: [app]
      app:
        command: [sh, -c, "echo app is here; sleep infinity"]
        depends_on: {redis: {condition: service_healthy}}
        develop: {watch: [{path: ./src, action: sync, target: /app}]}
      redis:
        command: [sleep, infinity]
        healthcheck: {test: [CMD, "true"], interval: 200ms}
      worker:
        command: [sh, -c, "echo working; sleep infinity"]

    """

  private static let steps = """
    await ^\\$$
    type stack up\\n
    await ^worker +running(.|\\n)*^\\$$
    screen up
    clear
    type stack ps\\n
    await ^worker +running(.|\\n)*^\\$$
    screen ps
    clear
    type stack logs -f\\n
    await app is here
    await working
    type \\x03
    await \\$$
    screen logs
    clear
    type stack exec -it app sh\\n
    await ^#$
    type echo in''side\\n
    await ^inside(.|\\n)*^#$
    type exit\\n
    await ^\\$$
    screen exec
    clear
    type stack run --rm app echo o''nce\\n
    await ^once(.|\\n)*^\\$$
    screen run
    clear
    type stack scale worker=2\\n
    await ^worker-2 +running(.|\\n)*^\\$$
    screen scale
    clear
    type stack watch\\n
    await watching
    type \\x1a
    await Stopped
    clear
    type bg >/dev/null 2>&1; echo changed >src/file; sleep 1; kill -INT %1; wait; stack exec app cat /app/file\\n
    await ^changed
    screen watch
    clear
    type stack cp app:/app/file copied; cat copied\\n
    await ^changed(.|\\n)*^\\$$
    screen cp
    clear
    type stack down\\n
    await stack shop is down(.|\\n)*^\\$$
    screen down

    """

  @Test(arguments: [(24, 80), (40, 120), (24, 44)])
  func thePersonSeesWhatHappens(_ rows: Int, _ columns: Int) throws {
    try ThrowawayHost.with { host in
      try host.write(Self.file, to: "shop/compose.yaml")
      try host.write("first\n", to: "shop/src/file")
      let outcome = try host.run(
        "env", "-C", "shop", "python3", "\(Repository.root)/Tests/EndToEndTests/Scripts/terminal-session.py",
        "\(rows)", "\(columns)", input: Data(Self.steps.utf8), limit: .seconds(120))
      let screens = Self.normalized(outcome.output)
      #expect(outcome.status == 0, "\(outcome)")
      let expected = Self.screens(isNarrow: columns < 80)
      for (name, text) in expected {
        #expect(screens[name] == text, "\(columns) columns, \(name):\n\(screens[name] ?? "")\nand not\n\(text)")
      }
      for line in outcome.output.split(separator: "\n") where !line.hasPrefix("== ") {
        #expect(line.count <= columns, "\(line)")
      }
    }
  }

  /// Screens by name, without what differs from run to run: process ids, ages, and the paddings that these bring.
  private static func normalized(_ output: String) -> [String: String] {
    var screens: [String: String] = [:]
    for part in output.components(separatedBy: "== ").dropFirst() {
      let lines = part.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      let text = lines.dropFirst().map { line in
        line.replacing(/running [0-9]+s/, with: "running 0s").replacing(/-run-[0-9a-f…]+/, with: "-run-ID")
          .replacing(#/  +[0-9]+  +10\./#, with: "  PID  10.").replacing(#/ [0-9]+s$/#, with: "")
          .replacing(#/  +/#, with: "  ")
      }
      screens[lines[0]] = text.joined(separator: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
    }
    return screens
  }

  private static func screens(isNarrow: Bool) -> [(name: String, text: String)] {
    // A narrow terminal has no room for numbers of processes and addresses, and says the whole state.
    func row(_ name: String, _ state: String, _ number: Int) -> String {
      isNarrow ? "\(name)  \(state)  -" : "\(name)  \(state)  PID  10.208.0.\(number)  -"
    }
    let heading = isNarrow ? "SERVICE  STATE  PORTS" : "SERVICE  STATE  PID  ADDRESSES  PORTS"
    let rows = [
      row("redis", "running 0s, healthy", 2), row("app", "running 0s", 3), row("nginx", "running 0s", 4),
      row("worker", "running 0s", 5),
    ]
    let table = ([heading] + rows).joined(separator: "\n")
    return [
      ("up", "$ stack up\n\(table)\n$"), ("ps", "$ stack ps\n\(table)\n$"),
      ("exec", "$ stack exec -it app sh\n# echo in''side\ninside\n# exit\n$"),
      ("run", "$ stack run --rm app echo o''nce\nonce\n$"),
      ("cp", "$ stack cp app:/app/file copied; cat copied\nchanged\n$"),
    ]
  }
}
