import ArgumentParser
import StackFiles

struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Explain a diagnostic of stack files, with an example.",
    discussion: """
      stack explain           all codes, with their meanings
      stack explain E0550     one of them, with a wrong and a mended file
      """)

  @Argument(help: ArgumentHelp("A code, as a message shows it. Without any: a list of all.", valueName: "code"))
  var codes: [String] = []

  func run() throws {
    guard !codes.isEmpty else { return print(DiagnosticManual.list, terminator: "") }
    try Session.run(needsRoot: false) { _ in
      print(try codes.map { try DiagnosticManual.page(on: $0) }.joined(separator: "\n"), terminator: "")
    }
  }
}
