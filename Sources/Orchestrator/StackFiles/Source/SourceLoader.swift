/// Reads text files and refuses what is not text.
struct SourceLoader {
  let files: any FileReading
  let diagnostics: DiagnosticList

  /// 4 MiB: a thousand services take about 200 KiB.
  static let limit = 4 << 20

  /// Nil, with a diagnostic, when there is no such text.
  /// - Parameters:
  ///   - path: The path as messages show it.
  ///   - location: Where it is read from, when that differs: a path resolved against the stack's folder.
  ///   - referrer: The place in a file that names it.
  ///   - tolerated: What is no error: the file may be missing, say.
  func load(
    _ path: String, from location: String? = nil, namedAt referrer: Span? = nil,
    tolerating tolerated: [FileReadingError] = []
  ) -> SourceFile? {
    let shown = path.utf8.contains(0) ? path.split(separator: "\0").joined(separator: "\u{2400}") : path
    do {
      let source = SourceFile(path: shown, bytes: try files.read(location ?? path, limit: Self.limit))
      if let problem = TextCheck.firstProblem(in: source) {
        diagnostics.add(problem)
        return nil
      }
      return source
    } catch {
      if !tolerated.contains(error) { diagnostics.add(diagnostic(for: error, path: shown, referrer: referrer)) }
      return nil
    }
  }

  private func diagnostic(for error: FileReadingError, path: String, referrer: Span?) -> Diagnostic {
    let code: DiagnosticCode
    let message: String
    var help: [String] = []
    switch error {
    case .missing:
      (code, message) = (.unreadableFile, "there is no file \"\(path)\"")
    case .refused(let reason):
      (code, message) = (.unreadableFile, "cannot read \"\(path)\": \(reason)")
    case .notAFile(let kind):
      (code, message) = (.notAFile, "\"\(path)\" is \(kind), not a file")
      if kind == "a folder" { help = ["name the file in it"] }
    case .tooLarge(let limit):
      (code, message) = (.fileTooLarge, "\"\(path)\" is larger than \(limit >> 20) MiB")
    }
    guard let referrer else { return Diagnostic(code, message, file: path, help: help) }
    return Diagnostic(code, message, at: referrer, help: help)
  }
}

/// Checks that bytes are text that YAML 1.2 allows (section 5.1): UTF-8, and no control characters but tab and line
/// breaks.
private enum TextCheck {
  static func firstProblem(in source: SourceFile) -> Diagnostic? {
    let bytes = source.bytes
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      return Diagnostic(
        .notUTF8, "the file is UTF-16, not UTF-8", file: source.path,
        help: ["convert it: iconv -f UTF-16 -t UTF-8"])
    }
    var offset = 0
    while offset < bytes.count {
      if bytes[offset] < 0x80 {
        if isControl(UInt32(bytes[offset])) { return control(UInt32(bytes[offset]), at: offset, 1, source) }
        offset += 1
        continue
      }
      var decoder = UTF8()
      var iterator = bytes[offset..<min(bytes.count, offset + 4)].makeIterator()
      guard case .scalarValue(let scalar) = decoder.decode(&iterator) else {
        return Diagnostic(
          .notUTF8, "the file is not UTF-8 text", at: Span(source, offset..<offset + 1),
          "the byte 0x\(String(bytes[offset], radix: 16, uppercase: true)) is not UTF-8 here")
      }
      let length = UTF8.width(scalar)
      if isControl(scalar.value) { return control(scalar.value, at: offset, length, source) }
      offset += length
    }
    return nil
  }

  private static func isControl(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x09, 0x0A, 0x0D, 0x85: false
    case 0..<0x20, 0x7F..<0xA0, 0xFEFF, 0xFFFE, 0xFFFF: true
    default: false
    }
  }

  private static func control(_ scalar: UInt32, at offset: Int, _ length: Int, _ source: SourceFile) -> Diagnostic {
    let digits = String(scalar, radix: 16, uppercase: true)
    let name =
      scalar == 0
      ? "a NUL character" : "the character U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    return Diagnostic(
      .controlCharacter, "the file holds \(name), which YAML does not allow",
      at: Span(source, offset..<offset + length))
  }
}
