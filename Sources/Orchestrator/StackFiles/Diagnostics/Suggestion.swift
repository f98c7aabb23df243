/// The nearest of several names to one that was mistyped.
package enum Suggestion {
  /// The candidate within a third of the word's length in typing errors (at least one is forgiven); the first of equals.
  package static func closest(to word: String, among candidates: some Sequence<String>) -> String? {
    let typed = Array(word.lowercased().utf8)
    guard !typed.isEmpty, typed.count <= 64 else { return nil }
    let allowed = max(1, typed.count / 3)
    var best: (candidate: String, distance: Int)?
    // With more names than people type, the cost of looking matters and the answer does not.
    for candidate in candidates.prefix(1000)
    where abs(candidate.utf8.count - typed.count) <= allowed && candidate != word {
      let distance = distance(typed, Array(candidate.lowercased().utf8))
      // One change turns any one-letter name into any other: that is no likeness.
      guard distance <= allowed, distance < max(typed.count, candidate.utf8.count) else { continue }
      if best.map({ distance < $0.distance }) ?? true { best = (candidate, distance) }
    }
    return best?.candidate
  }

  /// Candidates for a message: the likely ones alone where there are any, and otherwise all in their order.
  package static func nearest(to word: String, among candidates: [String]) -> [String] {
    guard let best = closest(to: word, among: candidates) else { return candidates }
    let typed = Array(word.lowercased().utf8)
    let likeness = distance(typed, Array(best.lowercased().utf8))
    return candidates.prefix(1000).filter { distance(typed, Array($0.lowercased().utf8)) == likeness }
  }

  /// `did you mean "front"?`, or nothing.
  package static func question(about word: String, among candidates: some Sequence<String>) -> String {
    closest(to: word, among: candidates).map { "did you mean \"\($0)\"?" } ?? ""
  }

  /// Damerau–Levenshtein distance (optimal string alignment): insertions, deletions, substitutions, and swaps of neighbours.
  static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = Array(0...right.count)
    var row = last
    for (i, a) in left.enumerated() {
      row[0] = i + 1
      for (j, b) in right.enumerated() {
        row[j + 1] = min(last[j + 1] + 1, row[j] + 1, last[j] + (a == b ? 0 : 1))
        if i > 0, j > 0, a == right[j - 1], b == left[i - 1] {
          row[j + 1] = min(row[j + 1], beforeLast[j - 1] + 1)
        }
      }
      (beforeLast, last, row) = (last, row, beforeLast)
    }
    return last[right.count]
  }
}
