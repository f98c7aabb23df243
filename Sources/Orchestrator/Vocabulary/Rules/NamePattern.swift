/// A pattern for names: `*` stands for any characters, also none, and `?` for one.
package struct NamePattern {
  private let pattern: [UInt8]

  package init(_ text: String) {
    pattern = Array(text.utf8)
  }

  static func isPattern(_ text: String) -> Bool {
    text.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }
  }

  /// Goes back to the last `*` alone, so that no pattern takes more than the product of the lengths.
  package func matches(_ name: String) -> Bool {
    let name = Array(name.utf8)
    var (place, next) = (0, 0)
    var retry: (pattern: Int, name: Int)?
    while next < name.count {
      if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
        retry = (place, next)
        place += 1
      } else if place < pattern.count, pattern[place] == UInt8(ascii: "?") || pattern[place] == name[next] {
        place += 1
        next += 1
      } else if let last = retry {
        retry = (last.pattern, last.name + 1)
        place = last.pattern + 1
        next = last.name + 1
      } else {
        return false
      }
    }
    return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
