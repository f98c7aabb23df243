import Kernel
import Vocabulary
import ArgumentParser
import Orchestrator

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Check what this host offers to stacks and what it lacks, with a remedy for each.",
    discussion: """
      Changes nothing unless --fix or --unfix is given. The exit code is 1 if
      something is missing that stacks need.
      """
  )

  @Flag(
    help:
      """
      Let packets of running stacks pass the rules of Docker and firewalld; `down` takes that back. Start a supervisor for \
      each stack that has lost its own.
      """)
  var fix = false
  @Flag(help: "Undo what --fix changed in firewalld.")
  var unfix = false

  func validate() throws {
    guard !fix || !unfix else { throw ValidationError("--fix and --unfix cannot go together") }
  }

  func run() throws {
    try Session.run(needsRoot: fix || unfix) { session in
      let doctor = DoctorCommand(session.context)
      if fix {
        for line in try doctor.adoptStacks() + doctor.letThrough() { print("done \(line)") }
      }
      if unfix { for line in try doctor.takeBack() { print("done \(line)") } }
      let findings = doctor.examine(initProgram: InitProgram.find())
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
