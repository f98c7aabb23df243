import BuildContext
import FoundationEssentials
import ImageReference

/// The record of a step that was built: enough to say later why its result no longer fits.
package struct StepRecord: Sendable, Hashable, Codable {
  /// The step's place: one place has one record, that of the last build.
  package struct Place: Sendable, Hashable, Codable {
    /// The absolute path of the context.
    package var context: String
    package var dockerfile: String
    /// The stage's name or number.
    package var stage: String
    /// The instruction's number in its stage, from 0.
    package var step: Int

    package init(context: String, dockerfile: String, stage: String, step: Int) {
      (self.context, self.dockerfile, self.stage, self.step) = (context, dockerfile, stage, step)
    }

    /// A name for a file: one place has one, of letters and digits.
    package var fileName: String {
      var hash = StableNumber()
      for text in [context, dockerfile, stage, "\(step)"] { hash.add(text) }
      return hash.text
    }
  }

  package var place: Place
  package var key: String
  package var parent: String?
  package var parts: [StepPart]

  package init(place: Place, key: ContentDigest, parent: ContentDigest?, parts: [StepPart]) {
    (self.place, self.parts) = (place, parts)
    self.key = "\(key)"
    self.parent = parent.map { "\($0)" }
  }

  /// Nil for what is damaged or of another version.
  package init?(_ bytes: [UInt8]) {
    guard let record = try? JSONDecoder().decode(Self.self, from: Data(bytes)) else { return nil }
    self = record
  }

  package func encoded() -> [UInt8]? {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return (try? encoder.encode(self)).map { [UInt8]($0) }
  }
}

/// FNV-1a with 64 bits, twice with different beginnings. Two places with one name cost an explanation, nothing else.
private struct StableNumber {
  private var halves: (UInt64, UInt64) = (0xcbf2_9ce4_8422_2325, 0x9ae1_6a3b_2f90_404f)

  mutating func add(_ text: String) {
    for byte in Array(text.utf8) + [0] {
      halves.0 = (halves.0 ^ UInt64(byte)) &* 0x100_0000_01b3
      halves.1 = (halves.1 ^ UInt64(byte)) &* 0x100_0000_01b3
    }
  }

  var text: String {
    [halves.0, halves.1].map { half in
      let digits = String(half, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
