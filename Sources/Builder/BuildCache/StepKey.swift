import Digests
import ImageReference

/// The key of a step: the steps before it in its stage, and all that its own result depends upon.
package enum StepKey {
  /// Another number makes every former key a different one.
  static let version = 1

  /// - Parameters:
  ///   - parent: The key of the step before. Nil for the first of a stage, whose parts then hold its base.
  ///   - parts: In an order of their own; equal parts in another order make the same key.
  /// - Throws: that hashing is not possible here.
  package static func key(parent: ContentDigest?, _ parts: [StepPart]) throws(LibraryError) -> ContentDigest {
    var hash = try ContentHash()
    hash.add(framed("stack build step \(version)"))
    hash.add(framed(parent.map { "\($0)" } ?? ""))
    for part in parts.sorted(by: { ($0.kind.rawValue, $0.name, $0.value) < ($1.kind.rawValue, $1.name, $1.value) }) {
      hash.add(framed(part.kind.rawValue) + framed(part.name) + framed(part.value))
    }
    return try hash.digest()
  }

  /// A length before a text, so that no two lists of them look alike.
  private static func framed(_ text: String) -> [UInt8] {
    withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { Array($0) } + Array(text.utf8)
  }
}
