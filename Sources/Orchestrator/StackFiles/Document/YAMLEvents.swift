import CYaml

/// libyaml's events as values, with byte offsets. libyaml gives both ends of every node, which its own tree does not keep.
struct YAMLEvents: ~Copyable {
  enum Event {
    case documentStart
    case scalar(text: String, isPlain: Bool, anchor: String?, tag: String?)
    case sequenceStart(anchor: String?, tag: String?)
    case mappingStart(anchor: String?, tag: String?)
    case sequenceEnd
    case mappingEnd
    case alias(String)
    case streamEnd
  }

  /// An error of libyaml. Offsets are in bytes.
  struct SyntaxError: Error {
    var problem: String
    var offset: Int
    /// The construct that was being read, and its beginning.
    var context: String?
    var contextOffset: Int
  }

  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let offsets: CharacterOffsets

  /// - Parameter bytes: UTF-8. They must outlive this value.
  init?(_ bytes: UnsafeBufferPointer<UInt8>) {
    parser = .allocate(capacity: 1)
    offsets = CharacterOffsets(bytes)
    guard yaml_parser_initialize(parser) == 1 else {
      parser.deallocate()
      return nil
    }
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
  }

  deinit {
    yaml_parser_delete(parser)
    parser.deallocate()
  }

  /// The next event and the bytes it covers.
  mutating func next() throws(SyntaxError) -> (Event, Range<Int>) {
    while true {
      var event = yaml_event_t()
      guard yaml_parser_parse(parser, &event) == 1 else { throw syntaxError() }
      defer { yaml_event_delete(&event) }
      let start = offsets[event.start_mark.index]
      let range = start..<max(start, offsets[event.end_mark.index])
      switch event.type {
      case YAML_DOCUMENT_START_EVENT: return (.documentStart, range)
      case YAML_STREAM_END_EVENT, YAML_NO_EVENT: return (.streamEnd, range)
      case YAML_SEQUENCE_END_EVENT: return (.sequenceEnd, range)
      case YAML_MAPPING_END_EVENT: return (.mappingEnd, range)
      case YAML_ALIAS_EVENT: return (.alias(Self.text(event.data.alias.anchor) ?? ""), range)
      case YAML_SEQUENCE_START_EVENT:
        let data = event.data.sequence_start
        return (.sequenceStart(anchor: Self.text(data.anchor), tag: Self.text(data.tag)), range)
      case YAML_MAPPING_START_EVENT:
        let data = event.data.mapping_start
        return (.mappingStart(anchor: Self.text(data.anchor), tag: Self.text(data.tag)), range)
      case YAML_SCALAR_EVENT:
        let data = event.data.scalar
        let text = String(decoding: UnsafeBufferPointer(start: data.value, count: data.length), as: UTF8.self)
        let isPlain = data.style == YAML_PLAIN_SCALAR_STYLE
        return (
          .scalar(text: text, isPlain: isPlain, anchor: Self.text(data.anchor), tag: Self.text(data.tag)), range
        )
      default: continue
      }
    }
  }

  private func syntaxError() -> SyntaxError {
    let mark = parser.pointee.problem_mark
    return SyntaxError(
      problem: parser.pointee.problem.map { String(cString: $0) } ?? "out of memory",
      offset: offsets[parser.pointee.error == YAML_READER_ERROR ? parser.pointee.problem_offset : mark.index],
      context: parser.pointee.context.map { String(cString: $0) },
      contextOffset: offsets[parser.pointee.context_mark.index])
  }

  private static func text(_ bytes: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    bytes.map { String(cString: $0) }
  }
}

/// From libyaml's marks, which count characters, to bytes.
private struct CharacterOffsets {
  /// The offset of each character; empty for ASCII text, where the two are the same.
  private let starts: [Int32]
  private let count: Int

  init(_ bytes: UnsafeBufferPointer<UInt8>) {
    count = bytes.count
    guard bytes.contains(where: { $0 >= 0x80 }) else {
      starts = []
      return
    }
    starts = bytes.indices.filter { bytes[$0] & 0xC0 != 0x80 }.map(Int32.init)
  }

  subscript(character: Int) -> Int {
    if starts.isEmpty { return min(character, count) }
    return character < starts.count ? Int(starts[character]) : count
  }
}
