import Foundation
import Testing

/// The lessons in stacks/labs/: each is as its `expect:` says, and notices when one of its lines is turned round.
@Suite struct LabTests {
  static let labs =
    (try? FileManager.default.contentsOfDirectory(atPath: Repository.stackFile("labs")))?
    .filter { $0.hasSuffix(".stack") }.sorted() ?? []

  @Test func thereAreLabs() { #expect(Self.labs.count >= 9) }

  @Test(arguments: labs) func itHolds(_ lab: String) throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      let file = Repository.stackFile("labs/\(lab)")
      let outcome = try host.run(
        "sh", "-c", "stack up \(file) --verify && stack down \(file)", limit: .seconds(180))
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.lines.contains { $0.hasPrefix("0 wrong of ") })
      try host.expectUnchanged(since: before)
    }
  }

  @Test(arguments: labs) func aLineTurnedRoundIsNoticedAndNamed(_ lab: String) throws {
    let text = try String(contentsOfFile: Repository.stackFile("labs/\(lab)"), encoding: .utf8)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    try ThrowawayHost.with { host in
      try host.write(text, to: "lab.stack")
      // Where daemons route, this waits until they have settled.
      try host.succeed("stack", "up", "lab.stack", "--verify", limit: .seconds(180))
      let rules = lines.indices.filter { lines[$0].hasPrefix("  - allow:") || lines[$0].hasPrefix("  - deny:") }
      #expect(!rules.isEmpty)
      for index in rules {
        var turned = lines
        let isAllowed = turned[index].hasPrefix("  - allow:")
        turned[index] =
          isAllowed
          ? turned[index].replacingOccurrences(of: "- allow:", with: "- deny:")
          : turned[index].replacingOccurrences(of: "- deny:", with: "- allow:")
        try host.write(turned.joined(separator: "\n"), to: "lab.stack")
        let outcome = try host.run("stack", "verify", "lab.stack")
        #expect(outcome.status == 1, "line \(index + 1) turned round: \(outcome)")
        #expect(outcome.output.contains("lab.stack:\(index + 1), "), "line \(index + 1) turned round: \(outcome)")
      }
    }
  }
}
