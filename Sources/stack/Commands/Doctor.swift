import ArgumentParser
import Orchestrator

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Say what this host offers to stacks, what it lacks, and what to do about it.",
    discussion:
      "Changes nothing without --fix and --unfix. Ends with status 1 when something is missing without which stacks do not come up."
  )

  @Flag(
    help:
      """
      Let the stacks that are up through where Docker's or firewalld's rules drop their packets, which down takes back; and give \
      a supervisor to those that have lost theirs.
      """)
  var fix = false
  @Flag(help: "Take back what --fix did in firewalld's rules.")
  var unfix = false

  func validate() throws {
    guard !fix || !unfix else { throw ValidationError("--fix and --unfix cannot go together") }
  }

  func run() throws {
    try Session.run(needsRoot: fix || unfix) { session in
      if fix {
        for line in try session.commands.adoptStacks() + session.commands.letThrough() { print("done \(line)") }
      }
      if unfix { for line in try session.commands.takeBack() { print("done \(line)") } }
      let findings = session.commands.examine(initProgram: InitProgram.find())
      for finding in findings {
        print("\(finding.verdict.label) \(VisibleText.lines(finding.text))")
        for line in finding.remedy?.split(separator: "\n") ?? [] { print("     \(VisibleText.line(line))") }
      }
      if findings.contains(where: { $0.verdict == .missing }) { throw ExitCode.failure }
    }
  }
}

extension HostFinding.Verdict {
  /// Four columns wide.
  fileprivate var label: String {
    switch self {
    case .good: "ok  "
    case .notice: "note"
    case .missing: "FAIL"
    }
  }
}
