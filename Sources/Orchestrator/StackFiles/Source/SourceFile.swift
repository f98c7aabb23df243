/// The text of one file that was read, and where its lines begin. Spans refer to it.
package final class SourceFile: Sendable {
  /// The path as the user wrote it, for messages.
  package let path: String
  /// The file's bytes, without a byte-order mark.
  package let bytes: [UInt8]
  /// The byte offset at which each line begins; a line ends at LF, CRLF or CR.
  private let lineStarts: [Int]

  package init(path: String, bytes: [UInt8]) {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    self.path = path
    self.bytes = bytes.starts(with: mark) ? [UInt8](bytes.dropFirst(mark.count)) : bytes
    self.lineStarts = Self.findLines(self.bytes)
  }

  private static func findLines(_ bytes: [UInt8]) -> [Int] {
    var starts = [0]
    for (offset, byte) in bytes.enumerated() {
      if byte == 0x0A {
        starts.append(offset + 1)
      } else if byte == 0x0D, offset + 1 >= bytes.count || bytes[offset + 1] != 0x0A {
        starts.append(offset + 1)
      }
    }
    return starts
  }

  var lineCount: Int { lineStarts.count }

  /// The number, from 1, of the line that holds a byte offset.
  package func line(at offset: Int) -> Int {
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return low + 1
  }

  /// The byte range of a line (numbered from 1), without its line break. Empty for a line that does not exist.
  func range(ofLine line: Int) -> Range<Int> {
    guard (1...lineStarts.count).contains(line) else { return bytes.count..<bytes.count }
    let start = lineStarts[line - 1]
    var end = line < lineStarts.count ? lineStarts[line] : bytes.count
    while end > start, bytes[end - 1] == 0x0A || bytes[end - 1] == 0x0D { end -= 1 }
    return start..<end
  }

  /// Line and column, both from 1; the column counts characters (Unicode scalars), not bytes.
  func position(at offset: Int) -> Position {
    let offset = min(max(offset, 0), bytes.count)
    let line = line(at: offset)
    let start = lineStarts[line - 1]
    // A UTF-8 continuation byte begins with the bits 10: it starts no character.
    let column = bytes[start..<offset].reduce(1) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 }
    return Position(line: line, column: column, offset: offset)
  }
}

/// A place in a file.
struct Position: Hashable, Sendable {
  /// From 1.
  var line: Int
  /// From 1, in characters.
  var column: Int
  /// From 0, in bytes.
  var offset: Int
}
