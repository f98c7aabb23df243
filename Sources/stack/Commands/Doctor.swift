import ArgumentParser
import Orchestrator

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what this host offers to stacks, what it lacks, and what to do about it.",
    discussion: "Changes nothing. Ends with status 1 when something is missing without which stacks do not come up.")

  func run() throws {
    try Session.run(needsRoot: false) { session in
      let findings = session.commands.examine(initProgram: InitProgram.find())
      for finding in findings {
        print("\(finding.verdict.label) \(finding.text)")
        for line in finding.remedy?.split(separator: "\n") ?? [] { print("     \(line)") }
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
