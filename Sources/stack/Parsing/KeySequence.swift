/// Keys that are typed one after the other, as Docker writes them: `ctrl-p,ctrl-q`, `a`, `ctrl-@`.
struct KeySequence {
  let bytes: [UInt8]

  /// Nil for a text that is no such list.
  init?(_ text: String) {
    var bytes: [UInt8] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let word = part.hasPrefix("ctrl-") ? part.dropFirst("ctrl-".count) : part
      guard word.utf8.count == 1, let byte = word.utf8.first, byte >= 0x20, byte < 0x7F else { return nil }
      guard part.hasPrefix("ctrl-") else {
        bytes.append(byte)
        continue
      }
      // ASCII: a control character is its letter without the bits above the fifth.
      let upper = (0x61...0x7A).contains(byte) ? byte - 0x20 : byte
      guard (0x40...0x5F).contains(upper) else { return nil }
      bytes.append(upper & 0x1F)
    }
    guard !bytes.isEmpty else { return nil }
    self.bytes = bytes
  }
}
