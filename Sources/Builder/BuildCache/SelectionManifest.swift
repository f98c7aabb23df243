import BuildContext

/// The entries that a step took, kept to say later which of them changed.
package enum SelectionManifest {
  private static let magic = Array("stack selection 1\n".utf8)

  package static func encoded(_ entries: [SelectedEntry]) -> [UInt8] {
    var bytes = magic
    for entry in entries {
      bytes.append(entry.kind.rawValue)
      for number in [entry.mode, entry.user, entry.group] { add(number, to: &bytes) }
      for text in [entry.path, entry.content] {
        add(UInt32(text.count), to: &bytes)
        bytes += text
      }
    }
    return bytes
  }

  /// Nil for what is damaged or of another version.
  package static func entries(_ bytes: [UInt8]) -> [SelectedEntry]? {
    guard bytes.starts(with: magic) else { return nil }
    var rest = bytes[magic.count...]
    var entries: [SelectedEntry] = []
    while let byte = rest.popFirst() {
      guard let kind = EntryStatus.Kind(rawValue: byte), let mode = number(&rest), let user = number(&rest),
        let group = number(&rest), let path = text(&rest), let content = text(&rest)
      else { return nil }
      entries.append(
        SelectedEntry(path: path, kind: kind, mode: mode, user: user, group: group, content: content))
    }
    return entries
  }

  private static func add(_ number: UInt32, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
  }

  private static func number(_ rest: inout ArraySlice<UInt8>) -> UInt32? {
    guard rest.count >= 4 else { return nil }
    defer { rest = rest.dropFirst(4) }
    return rest.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
  }

  private static func text(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
    guard let count = number(&rest), rest.count >= Int(count) else { return nil }
    defer { rest = rest.dropFirst(Int(count)) }
    return Array(rest.prefix(Int(count)))
  }
}
