/// FNV-1a over UTF-8 (draft-eastlake-fnv): the same text gives the same number on every run and every machine.
package struct StableHash {
  package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  package init(_ parts: String...) {
    for part in parts {
      for byte in part.utf8 { add(byte) }
      // A byte that UTF-8 never contains keeps ("ab", "c") apart from ("a", "bc").
      add(0xFF)
    }
  }

  private mutating func add(_ byte: UInt8) {
    value = (value ^ UInt64(byte)) &* 0x100_0000_01b3
  }

  private static let alphabet = Array("abcdefghjkmnpqrstuvwxyz023456789".utf8)

  /// The lowest 30 bits as six letters and digits that are hard to mistake for each other.
  package var tag: String {
    String(decoding: (0..<6).map { Self.alphabet[Int((value >> (5 * UInt64($0))) & 31)] }, as: UTF8.self)
  }
}
