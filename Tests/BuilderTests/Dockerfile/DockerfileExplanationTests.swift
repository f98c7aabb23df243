import Testing

@testable import BuildIgnore
@testable import Dockerfile
@testable import StackFiles

/// The examples of `stack explain` that are Dockerfiles.
@Suite struct DockerfileExplanationTests {
  /// A step fails when it is carried out: see BuildCopyTests.
  static let entries = DiagnosticExplanation.table.filter { $0.wrong.name != "web.stack" && $0.code != .failedStep }

  @Test(arguments: entries.map(\.code))
  func theWrongFileHasThisMistakeAndNoOther(_ code: DiagnosticCode) throws {
    let entry = try #require(Self.entries.first { $0.code == code })
    #expect(Self.codes(of: entry.wrong) == [code])
  }

  @Test(arguments: entries.map(\.code))
  func theMendedFileHasNoMistake(_ code: DiagnosticCode) throws {
    let entry = try #require(Self.entries.first { $0.code == code })
    #expect(Self.codes(of: entry.mended) == [])
  }

  private static func codes(of example: DiagnosticExplanation.Example) -> [DiagnosticCode] {
    guard example.name == "Dockerfile" else {
      let list = DiagnosticList()
      _ = IgnorePatterns.read(path: example.name, bytes: Array((example.file + "\n").utf8), list)
      return list.sorted.map(\.code)
    }
    var inputs = BuildInputs()
    for command in example.commands {
      let words = command.split(separator: " ")
      let values = zip(words, words.dropFirst()).filter { $0.0 == "--build-arg" }.map(\.1)
      for value in values {
        let halves = value.split(separator: "=").map(String.init)
        inputs.arguments[halves[0]] = halves[1]
      }
    }
    return Expansion(example.file + "\n", inputs).diagnostics.map(\.code)
  }
}
