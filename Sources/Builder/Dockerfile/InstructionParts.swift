import StackFiles

/// An instruction's line, cut into its keyword, its flags and the rest.
struct InstructionParts {
  let line: LogicalLine
  let whole: Range<Int>
  let escape: UInt8
  /// In capitals.
  let keyword: String
  let keywordRange: Range<Int>
  let flags: [WordSplitter.Flag]
  let arguments: Range<Int>

  init(_ line: LogicalLine, _ whole: Range<Int>, escape: UInt8) {
    (self.line, self.whole, self.escape) = (line, whole, escape)
    let end = line.bytes[whole].firstIndex(where: \.isBlank) ?? whole.upperBound
    keywordRange = whole.lowerBound..<end
    keyword = line.text(keywordRange).uppercased()
    (flags, arguments) = WordSplitter(line: line, escape: escape).flags(in: end..<whole.upperBound)
  }

  var span: Span { line.span(whole) }
  var keywordSpan: Span { line.span(keywordRange) }
  var argumentSpan: Span { line.span(arguments) }
  var argumentText: String { line.text(arguments) }
  var splitter: WordSplitter { WordSplitter(line: line, escape: escape) }

  /// The instruction that ONBUILD holds.
  var nested: InstructionParts? {
    arguments.isEmpty ? nil : InstructionParts(line, arguments, escape: escape)
  }
}
