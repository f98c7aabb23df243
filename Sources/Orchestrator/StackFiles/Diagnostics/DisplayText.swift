/// A line of source as a terminal shows it: each character with the columns it takes.
struct DisplayText {
  struct Cell {
    var text: String
    var width: Int
    /// Byte offset into the file.
    var offset: Int
  }

  private(set) var cells: [Cell] = []
  private let end: Int

  private static let tabWidth = 4

  init(line: Range<Int>, of file: SourceFile) {
    end = line.upperBound
    var column = 0
    var offset = line.lowerBound
    while offset < line.upperBound {
      let (scalar, length) = Self.decode(file.bytes, at: offset, before: line.upperBound)
      var cell = Cell(text: "\u{FFFD}", width: 1, offset: offset)
      if scalar == "\t" {
        cell.width = Self.tabWidth - column % Self.tabWidth
        cell.text = String(repeating: " ", count: cell.width)
      } else if let scalar, !Self.isControl(scalar) {
        cell.text = String(scalar)
        cell.width = Self.width(of: scalar)
      }
      cells.append(cell)
      column += cell.width
      offset += length
    }
  }

  /// The columns that a byte range takes, as (first column from 0, width). At least one column wide.
  func columns(of range: Range<Int>) -> (start: Int, width: Int) {
    var start = 0
    var width = 0
    for cell in cells {
      if cell.offset < range.lowerBound {
        start += cell.width
      } else if cell.offset < range.upperBound {
        width += cell.width
      }
    }
    return (start, max(width, 1))
  }

  /// The columns of the whole line.
  var width: Int { cells.reduce(0) { $0 + $1.width } }

  /// The text from one column to another; a wide character that is cut becomes spaces.
  func text(columns: Range<Int>) -> String {
    var text = ""
    var column = 0
    for cell in cells {
      let next = column + cell.width
      if column >= columns.lowerBound, next <= columns.upperBound {
        text += cell.text
      } else if next > columns.lowerBound, column < columns.upperBound {
        text += String(repeating: " ", count: min(next, columns.upperBound) - max(column, columns.lowerBound))
      }
      column = next
      if column >= columns.upperBound { break }
    }
    return text
  }

  /// The scalar at an offset and its length in bytes; nil for a byte that is not UTF-8.
  private static func decode(_ bytes: [UInt8], at offset: Int, before end: Int) -> (Unicode.Scalar?, Int) {
    if bytes[offset] < 0x80 { return (Unicode.Scalar(bytes[offset]), 1) }
    var decoder = UTF8()
    var iterator = bytes[offset..<min(end, offset + 4)].makeIterator()
    if case .scalarValue(let scalar) = decoder.decode(&iterator) { return (scalar, UTF8.width(scalar)) }
    return (nil, 1)
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: true
    // Bidirectional overrides would let a file rearrange what the terminal shows.
    case .format: scalar != "\u{200D}"
    default: false
    }
  }

  /// Columns in a terminal, as wcwidth(3) counts them.
  private static func width(of scalar: Unicode.Scalar) -> Int {
    if scalar.isASCII { return 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    // The wide ranges of Unicode's EastAsianWidth.txt, and emoji.
    let wide: [ClosedRange<UInt32>] = [
      0x1100...0x115F, 0x231A...0x231B, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
      0xA000...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
      0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD,
    ]
    return wide.contains { $0.contains(scalar.value) } ? 2 : 1
  }
}
