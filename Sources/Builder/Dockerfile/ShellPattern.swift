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

  func removingPrefix(of value: String, longest: Bool) -> String {
    let scalars = Array(value.unicodeScalars)
    guard let end = end(in: scalars, from: 0, longest: longest) else { return value }
    return Self.text(scalars[end...])
  }

  func removingSuffix(of value: String, longest: Bool) -> String {
    let scalars = Array(value.unicodeScalars.reversed())
    guard let end = ShellPattern(parts.reversed()).end(in: scalars, from: 0, longest: longest) else { return value }
    return Self.text(scalars[end...].reversed())
  }

  /// The value with the first match replaced, or each. Matches are as long as can be.
  func replacing(in value: String, with replacement: String, each: Bool) -> String {
    let scalars = Array(value.unicodeScalars)
    var result = String.UnicodeScalarView()
    var (place, lastEnd) = (0, -1)
    var isDone = false
    while place <= scalars.count {
      if !isDone, let end = end(in: scalars, from: place, longest: true), end > place || place != lastEnd {
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

  /// Where a match ends that begins at a place. Takes a time of pattern times value.
  private func end(in scalars: [Unicode.Scalar], from start: Int, longest: Bool) -> Int? {
    var ends: Set<Int> = [start]
    for part in parts {
      switch part {
      case .text(let scalar):
        ends = Set(ends.lazy.filter { $0 < scalars.count && scalars[$0] == scalar }.map { $0 + 1 })
      case .one:
        ends = Set(ends.lazy.filter { $0 < scalars.count && scalars[$0] != "\n" }.map { $0 + 1 })
      case .any:
        var reached = ends
        for first in ends {
          var place = first
          while place < scalars.count, scalars[place] != "\n", reached.insert(place + 1).inserted { place += 1 }
        }
        ends = reached
      }
      if ends.isEmpty { return nil }
    }
    return longest ? ends.max() : ends.min()
  }
}
