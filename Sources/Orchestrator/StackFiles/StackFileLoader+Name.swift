import Vocabulary

extension StackFileLoader {
  /// The name that files give their stack, as ``load(_:name:)`` finds it, without all else being read.
  ///
  /// - Returns: nil if a file cannot be read as far as its name, or the name is none.
  package func name(of paths: [String], _ variables: Variables) -> String? {
    for path in paths.reversed() {
      guard let bytes = try? files.read(location(of: path), limit: SourceLoader.limit) else { return nil }
      switch Self.statedName(in: bytes) {
      case .unreadable: return nil
      case .none: continue
      case .text(let text):
        guard let template = try? Template(text) else { return nil }
        return StackNaming.adapted(template.expanded { variables[$0] }.text)
      }
    }
    let name = paths.first.map { StackNaming.name(ofPath: location(of: $0)) } ?? ""
    return name.isEmpty ? nil : name
  }

  private enum StatedName {
    case none
    case unreadable
    case text(String)
  }

  /// The value of the key `name` at the top of a file; of several documents, the last that has one.
  private static func statedName(in bytes: [UInt8]) -> StatedName {
    bytes.withUnsafeBufferPointer { buffer in
      guard var events = YAMLEvents(buffer) else { return .unreadable }
      var found = StatedName.none
      var depth = 0
      // At the top, scalars are keys and values in turn.
      var key: String?
      while true {
        guard let (event, range) = try? events.next() else { return .unreadable }
        switch event {
        case .streamEnd: return found
        case .documentStart: (depth, key) = (0, nil)
        case .sequenceStart, .mappingStart: depth += 1
        case .sequenceEnd, .mappingEnd:
          depth -= 1
          if depth == 1 { key = nil }
        case .alias:
          if depth == 1 { key = nil }
        case .scalar(let text, _, _, _):
          guard depth == 1 else { continue }
          guard let name = key else {
            key = text
            continue
          }
          key = nil
          guard name == "name" else { continue }
          found = .text(text)
          if !hasAnotherDocument(buffer[min(range.upperBound, buffer.count)...]) { return found }
        }
      }
    }
  }

  /// True if a line of the rest of a file may begin another document.
  private static func hasAnotherDocument(_ rest: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
    var run = 0
    for byte in rest {
      run = byte == UInt8(ascii: "-") ? run + 1 : 0
      if run == 3 { return true }
    }
    return false
  }
}
