/// A pattern of `${name#pattern}`: `*` is any text, `?` is one character. Neither takes a line break.
///
/// Source: POSIX.1-2017, Shell Command Language, 2.13, without brackets, which BuildKit leaves out.
struct ShellPattern {
  private enum Part {
    case text(Unicode.Scalar)
    case one
    case any
  }

  private var parts: [Part] = []

  /// Nil where a backslash stands before another character than `*`, `?`, `\`, `}` and `/`.
  init?(_ text: String) {
    var isEscaped = false
    for scalar in text.unicodeScalars {
      if isEscaped {
        guard "*?\\}/".unicodeScalars.contains(scalar) else { return nil }
        parts.append(.text(scalar))
        isEscaped = false
      } else {
        switch scalar {
        case "\\": isEscaped = true
        case "*": parts.append(.any)
        case "?": parts.append(.one)
        default: parts.append(.text(scalar))
        }
      }
    }
    guard !isEscaped else { return nil }
  }

  private init(_ parts: [Part]) { self.parts = parts }

  /// The steps that it takes to match a value.
  func effort(on value: String) -> Int { (parts.count + 1) * (value.utf8.count + 1) }

  func removingPrefix(of value: String, longest: Bool) -> String {
    let scalars = Array(value.unicodeScalars)
    guard let end = ends(in: scalars, longest: longest)[0] else { return value }
    return Self.text(scalars[end...])
  }

  func removingSuffix(of value: String, longest: Bool) -> String {
    let scalars = Array(value.unicodeScalars.reversed())
    guard let end = ShellPattern(parts.reversed()).ends(in: scalars, longest: longest)[0] else { return value }
    return Self.text(scalars[end...].reversed())
  }

  /// The value with the first match replaced, or each. Matches are as long as can be.
  func replacing(in value: String, with replacement: String, each: Bool) -> String {
    let scalars = Array(value.unicodeScalars)
    let ends = ends(in: scalars, longest: true)
    var result = String.UnicodeScalarView()
    var (place, lastEnd) = (0, -1)
    var isDone = false
    while place <= scalars.count {
      if !isDone, let end = ends[place], end > place || place != lastEnd {
        result.append(contentsOf: replacement.unicodeScalars)
        isDone = !each
        lastEnd = end
        if end > place {
          place = end
          continue
        }
      }
      if place < scalars.count { result.append(scalars[place]) }
      place += 1
    }
    return String(result)
  }

  private static func text(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }

  /// For each place of a value, and for its end, where a match ends that begins there. Takes a time of pattern times value.
  ///
  /// From the value's end backwards. From each place, the rest of the pattern ends where the rest behind it ends from the
  /// next place.
  private func ends(in scalars: [Unicode.Scalar], longest: Bool) -> [Int?] {
    let none = -1
    var ends = [Int?](repeating: nil, count: scalars.count + 1)
    // Where each rest of the pattern ends from this place, and from the next one.
    var row = [Int](repeating: none, count: parts.count + 1)
    var next = row
    for place in stride(from: scalars.count, through: 0, by: -1) {
      swap(&row, &next)
      let scalar = place < scalars.count ? scalars[place] : nil
      row[parts.count] = place
      for index in parts.indices.reversed() {
        switch parts[index] {
        case .text(let wanted): row[index] = scalar == wanted ? next[index + 1] : none
        case .one: row[index] = scalar == nil || scalar == "\n" ? none : next[index + 1]
        case .any:
          let (without, with) = (row[index + 1], scalar == nil || scalar == "\n" ? none : next[index])
          let (least, most) = (min(without, with), max(without, with))
          row[index] = longest || least == none ? most : least
        }
      }
      if row[0] != none { ends[place] = row[0] }
    }
    return ends
  }
}
