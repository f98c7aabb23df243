import Fuzzing
import TestSupport
import Testing
@testable import Export
@testable import Intent
@testable import StackFiles
@testable import Vocabulary

/// NetworkPolicies of an export, judged by an oracle that knows Kubernetes alone, against the stack's own evaluator.
@Suite struct PolicyOracleTests {
  private static let oracle = sourceFolder(#filePath, up: 2) + "/Fixtures/network-policy-oracle.py"

  static func ask(_ lines: [String], _ options: String = "") throws -> (output: String, status: Int32) {
    let folder = try TemporaryFolder()
    try folder.write("cases", lines.joined())
    return shell("python3 \(oracle) \(folder.path)/cases \(options)")
  }

  /// Cases of random files. Files that `stack` refuses are left out, and must be few.
  private static func randomCases(_ count: Int) throws -> [String] {
    var lines: [String] = []
    var seed: UInt64 = 0
    while lines.count < count {
      seed += 1
      guard seed < UInt64(count * 4) else { break }
      let text = RandomPolicyFile(seed: seed).text
      guard let source = try? ExportSource(text) else { continue }
      let export = source.kubernetes()
      guard !export.report.isRefused else { continue }
      lines.append(PolicyOracleCase("seed \(seed)", source.input.stack, export).line)
    }
    return lines
  }

  @Test func randomFilesAreAsPredicted() throws {
    let count = TestExtent.size(500, sample: 40)
    let lines = try Self.randomCases(count)
    #expect(lines.count == count)
    let (output, status) = try Self.ask(lines)
    #expect(status == 0, "\(output)")
  }

  @Test func aDroppedRuleIsNoticed() throws {
    let (output, status) = try Self.ask(try Self.randomCases(40), "--mutate 100")
    #expect(status == 0 && output.contains("100 rules dropped, 0 unnoticed"), "\(output)")
  }

  @Test(arguments: ExportSource.exampleFiles) func exampleIsAsPredicted(file: String) throws {
    let source = try ExportSource(example: file)
    let export = source.kubernetes()
    guard !export.report.isRefused else { return }
    let (output, status) = try Self.ask([PolicyOracleCase(file, source.input.stack, export).line])
    #expect(status == 0, "\(output)")
  }
}
