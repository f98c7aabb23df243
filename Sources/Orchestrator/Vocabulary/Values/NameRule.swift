/// The rules for names. Each ends up in paths, in names of network namespaces and in /etc/hosts.
package enum NameRule {
  /// `[a-z0-9][a-z0-9_-]{0,62}`
  case stack
  /// `[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}`
  case object

  package static let maximumLength = 63

  /// The problem with a name, as it follows "a name"; nil for none. The range is in bytes of the name.
  package func problem(with name: String) -> (words: String, range: Range<Int>)? {
    let bytes = Array(name.utf8)
    if bytes.isEmpty { return ("cannot be empty", 0..<0) }
    if bytes.count > Self.maximumLength {
      return ("has at most \(Self.maximumLength) characters", Self.maximumLength..<bytes.count)
    }
    var offset = 0
    for scalar in name.unicodeScalars {
      let width = UTF8.width(scalar)
      let range = offset..<offset + width
      if !isAllowed(scalar, isFirst: offset == 0) {
        let letters = self == .stack ? "a-z" : "a-z, A-Z"
        return (offset == 0 ? "begins with \(letters) or 0-9" : "is made of \(letters), 0-9 and \(marks)", range)
      }
      offset += width
    }
    return nil
  }

  private var marks: String { self == .stack ? "_ -" : "_ . -" }

  private func isAllowed(_ scalar: Unicode.Scalar, isFirst: Bool) -> Bool {
    switch scalar {
    case "a"..."z", "0"..."9": true
    case "A"..."Z": self == .object
    case "_", "-": !isFirst
    case ".": !isFirst && self == .object
    default: false
    }
  }
}
