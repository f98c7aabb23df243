import StackFiles

extension IgnorePatterns {
  /// The patterns of a `.dockerignore`. A pattern that is none is reported, and left out.
  ///
  /// - Parameters:
  ///   - path: As messages show it.
  ///   - bytes: The file's contents; a byte-order mark is skipped.
  package static func read(path: String, bytes: [UInt8], _ diagnostics: DiagnosticList) -> IgnorePatterns {
    let file = SourceFile(path: path, bytes: bytes)
    var patterns = IgnorePatterns()
    var start = 0
    while start < file.bytes.count {
      let end = file.bytes[start...].firstIndex(of: 0x0A) ?? file.bytes.count
      do throws(Diagnostic) {
        try patterns.addLine(start..<end, of: file)
      } catch {
        diagnostics.add(error)
      }
      start = end + 1
    }
    return patterns
  }

  /// Patterns that stand elsewhere: those of `--exclude`.
  ///
  /// - Throws: the text that is no pattern, and why.
  package init(_ texts: [String]) throws(MalformedPattern) {
    self.init()
    for text in texts { try add(Array(text.utf8), span: nil) }
  }

  private mutating func addLine(_ range: Range<Int>, of file: SourceFile) throws(Diagnostic) {
    // Only a sign in the first column begins a comment.
    guard file.bytes[range].first != UInt8(ascii: "#") else { return }
    let span = Span(file, Self.trimmed(range, file.bytes))
    do {
      try add(Array(file.bytes[span.range]), span: span)
    } catch {
      throw Diagnostic(
        .badIgnorePattern, "\"\(error.text)\" is no pattern: \(error.reason)", at: span, help: [error.remedy])
    }
  }

  private mutating func add(_ line: [UInt8], span: Span?) throws(MalformedPattern) {
    guard !line.isEmpty else { return }
    let isException = line.first == UInt8(ascii: "!")
    let rest = isException ? Array(line.dropFirst().drop { $0.isBlank }) : line
    let text = String(decoding: line, as: UTF8.self)
    guard !rest.isEmpty else {
      throw MalformedPattern(
        text: text, reason: "there is nothing to take back in", remedy: "write the path behind \"!\"")
    }
    let clean = Self.cleaned(rest)
    do {
      append(
        Pattern(
          text: text, isException: isException, span: span, pattern: try PathPattern(clean, takesFolders: true)))
    } catch {
      throw MalformedPattern(text: text, problem: error)
    }
  }

  private static func trimmed(_ range: Range<Int>, _ bytes: [UInt8]) -> Range<Int> {
    var (start, end) = (range.lowerBound, range.upperBound)
    while start < end, bytes[start].isBlank { start += 1 }
    while end > start, bytes[end - 1].isBlank { end -= 1 }
    return start..<end
  }

  /// The shortest path that means the same, relative to the context: Go's filepath.Clean without a leading `/`.
  static func cleaned(_ path: [UInt8]) -> [UInt8] {
    var parts: [ArraySlice<UInt8>] = []
    let isAbsolute = path.first == UInt8(ascii: "/")
    for part in path.split(separator: UInt8(ascii: "/")) {
      if part.elementsEqual(".".utf8) { continue }
      if part.elementsEqual("..".utf8), let last = parts.last, !last.elementsEqual("..".utf8) {
        parts.removeLast()
      } else if !(part.elementsEqual("..".utf8) && isAbsolute) {
        parts.append(part)
      }
    }
    return parts.isEmpty ? Array((isAbsolute ? "/" : ".").utf8) : Array(parts.joined(separator: [UInt8(ascii: "/")]))
  }
}

/// A text that is no pattern.
package struct MalformedPattern: Error, Sendable, Hashable {
  package var text: String
  package var reason: String
  package var remedy: String

  init(text: String, reason: String, remedy: String) { (self.text, self.reason, self.remedy) = (text, reason, remedy) }

  /// - Parameter problem: What is wrong with it.
  package init(text: String, problem: PathPattern.Problem) {
    let words: (String, String) =
      switch problem {
      case .openBracket: ("a \"[\" is not closed", "close it, or write \\[ for the character itself")
      case .badRange:
        ("a range in \"[…]\" has no two ends in order", "write it as [a-z], and \\- for the character itself")
      case .openEscape: ("it ends with a backslash", "remove it, or write two for the character itself")
      }
    self.init(text: text, reason: words.0, remedy: words.1)
  }
}

extension UInt8 {
  /// White space of ASCII.
  var isBlank: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}
