import Glibc
import TestSupport
import Testing
@testable import Intent
@testable import Kernel
@testable import Planning
@testable import Resolve
@testable import Script
@testable import StackFiles

/// Each file in stacks/, as the script of its first `up` on a host that uses nothing. See ``Golden`` for how to write the
/// files anew.
@Suite struct GoldenPlanTests {
  private static let folder = sourceFolder(#filePath, up: 4) + "/stacks"
  private static let files =
    ["", "labs/"].flatMap { part in Files.list("\(folder)/\(part)").filter { $0.hasSuffix(".stack") }.map { part + $0 }
    }

  @Test func thereAreExamples() {
    #expect(Self.files.contains("web.stack") && Self.files.contains("labs/ring.stack"))
  }

  @Test(arguments: files) func plan(file: String) throws {
    let loader = StackFileLoader(files: HostFiles(), environment: ["HOME": "/root"], workingFolder: Self.folder)
    let outcome = loader.load([file])
    let stack = try #require(outcome.stack, "\(DiagnosticRenderer().render(outcome.diagnostics))")
    let folders = StateFolders()
    let desired = try Resolver.resolve(
      stack, services: stack.activeServices().services, facts: .using(), previous: nil,
      folder: folders.stack(stack.name.value))
    let text = PlanScript(Planner.up(desired, recorded: nil, observed: [:]), folders: folders, hostResolver: "").text
    let name = file.split(separator: "/").last.map(String.init) ?? file
    try Golden.expect(text.replacing(Self.folder, with: "stacks"), "\(name).plan")
    let script = try TemporaryFolder()
    try script.write("plan.sh", text)
    #expect(shell("bash -n \(script.path)/plan.sh").output == "")
  }
}
