import Testing

@testable import Orchestrator

@Suite struct MutationTests {
  /// SplitMix64: the same sequence on every run.
  struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  private struct Bytes: FileReading {
    var bytes: [UInt8]
    func read(_ path: String, limit: Int) throws(FileReadingError) -> [UInt8] {
      guard path.hasSuffix(".stack") else { throw .missing }
      return bytes
    }
  }

  private static let fragments = [
    "$", "${", "}", "*env", "&a ", "<<: *env", "!reset ", ":", "- ", "[", "]", "{", "\"", "'", "\n", "\t", "#", "|\n",
    ">\n",
    "~", "-1", "99999999999999999999", "0", "/", "..", "\0", "\u{FEFF}", "\u{85}", "\u{2028}", "網", "true",
    "10.1.0.0/31",
    "x-stack: ", "services: ", "65536", "8000-1", "\\",
  ].map { Array($0.utf8) }

  private func mutate(_ bytes: inout [UInt8], _ generator: inout Generator) {
    for _ in 0..<Int.random(in: 1...6, using: &generator) {
      let place = Int.random(in: 0...bytes.count, using: &generator)
      let end = min(bytes.count, place + Int.random(in: 0...20, using: &generator))
      switch Int.random(in: 0..<5, using: &generator) {
      case 0: bytes.insert(contentsOf: Self.fragments.randomElement(using: &generator) ?? [], at: place)
      case 1: bytes.removeSubrange(place..<end)
      case 2: if place < bytes.count { bytes[place] = UInt8.random(in: 0...255, using: &generator) }
      case 3: bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &generator))
      default: bytes.removeSubrange(place..<bytes.count)
      }
      if bytes.isEmpty { bytes = [0x61] }
    }
  }

  /// Two seconds of damaged files: each is a stack or has an error, and every diagnostic can be shown.
  @Test func everyFileIsAStackOrHasAnError() throws {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(2)
    var seed: UInt64 = 0
    while clock.now < end {
      seed += 1
      var generator = Generator(state: seed)
      var bytes = Array(ConfigTests.everything.utf8)
      mutate(&bytes, &generator)
      let outcome = StackFileLoader(files: Bytes(bytes: bytes), environment: ["A": "1"], workingFolder: "/lab").load([
        "web.stack"
      ])
      let errors = outcome.diagnostics.filter { $0.severity == .error }
      #expect((outcome.stack == nil) == !errors.isEmpty, "seed \(seed)")
      #expect(!DiagnosticRenderer().render(outcome.diagnostics).isEmpty || outcome.diagnostics.isEmpty)
      #expect(Diagnostic.jsonLines(outcome.diagnostics).split(separator: "\n").count == outcome.diagnostics.count)
      if let stack = outcome.stack {
        let again = StackFileLoader(
          files: Bytes(bytes: Array(stack.output.yaml.utf8)), environment: [:], workingFolder: "/lab"
        )
        .load(["web.stack"])
        #expect(again.stack?.output == stack.output, "seed \(seed)")
      }
    }
    #expect(seed > 100)
  }
}
