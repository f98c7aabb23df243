import Glibc
import Testing
@testable import Intent
@testable import Kernel
@testable import Planning
@testable import Resolve
@testable import StackFiles

/// Each file in stacks/, as the plan of its first `up` on a host that uses nothing, with the commands that a person would
/// have typed. See ``Golden`` for how to write the files anew.
@Suite struct GoldenPlanTests {
  private static let folder = sourceFolder(#filePath, up: 4) + "/stacks"
  private static let files = Files.list(folder).filter { $0.hasSuffix(".stack") }

  @Test func thereAreExamples() {
    #expect(Self.files.contains("web.stack"))
  }

  @Test(arguments: files) func plan(file: String) throws {
    let loader = StackFileLoader(files: HostFiles(), environment: ["HOME": "/root"], workingFolder: Self.folder)
    let outcome = loader.load([file])
    let stack = try #require(outcome.stack, "\(DiagnosticRenderer().render(outcome.diagnostics))")
    let folders = StateFolders()
    let desired = try Resolver.resolve(
      stack, services: stack.activeServices().services, facts: .using(), previous: nil,
      folder: folders.stack(stack.name.value))
    let plan = Planner.up(desired, recorded: nil, observed: [:])
    var text = plan.reasons.map { "\($0.service): \($0.text)\n" }.joined()
    for step in plan.steps {
      text += "\n# \(step.description)\n"
      text += step.commands(folders: folders).map { "\($0)\n" }.joined()
    }
    try Golden.expect(text.replacing(Self.folder, with: "stacks"), "\(file).plan")
  }

  @Test func wordsAreQuotedAsAShellReadsThem() {
    for word in ["plain", "", "a b", "it's", "$HOME", "a\nb", "-x=1:2,3@4%5+6", "ä", "*", "\\", "\"", "~"] {
      #expect(shell("printf %s \(shellQuoted(word))").output == word)
    }
    #expect(shellQuoted("a-b_c/d.e") == "a-b_c/d.e")
  }
}
