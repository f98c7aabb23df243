/// A pattern for names: `*` stands for any characters, also none, and `?` for one.
package struct NamePattern {
  private let pattern: [UInt8]

  package init(_ text: String) {
    pattern = Array(text.utf8)
  }

  static func isPattern(_ text: String) -> Bool {
    text.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }
  }

  package func matches(_ name: String) -> Bool {
    Wildcards.match(pattern, Array(name.utf8)) {
      $0 == UInt8(ascii: "*")
    } fits: {
      $0 == UInt8(ascii: "?") || $0 == $1
    }
  }
}
