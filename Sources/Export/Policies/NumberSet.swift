/// A set of small numbers, as bits.
struct NumberSet: Hashable, Sendable {
  private var words: [UInt64]

  /// - Parameter capacity: the number above the largest that it can hold.
  init(capacity: Int) { words = Array(repeating: 0, count: (capacity + 63) / 64) }

  init(capacity: Int, _ numbers: some Sequence<Int>) {
    self.init(capacity: capacity)
    for number in numbers { insert(number) }
  }

  mutating func insert(_ number: Int) { words[number / 64] |= 1 << UInt64(number % 64) }

  func contains(_ number: Int) -> Bool { words[number / 64] & 1 << UInt64(number % 64) != 0 }

  var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
  var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  func intersection(_ other: NumberSet) -> NumberSet { combined(other) { $0 & $1 } }
  func union(_ other: NumberSet) -> NumberSet { combined(other) { $0 | $1 } }
  func subtracting(_ other: NumberSet) -> NumberSet { combined(other) { $0 & ~$1 } }
  func isDisjoint(with other: NumberSet) -> Bool { zip(words, other.words).allSatisfy { $0 & $1 == 0 } }

  private func combined(_ other: NumberSet, _ operation: (UInt64, UInt64) -> UInt64) -> NumberSet {
    var result = self
    for place in words.indices { result.words[place] = operation(words[place], other.words[place]) }
    return result
  }

  /// In ascending order.
  var numbers: [Int] {
    var found: [Int] = []
    for (place, word) in words.enumerated() {
      var rest = word
      while rest != 0 {
        found.append(place * 64 + rest.trailingZeroBitCount)
        rest &= rest - 1
      }
    }
    return found
  }
}
