import Kernel

/// Columns as wide as they need to be, with two spaces between. What a terminal would obey is shown.
struct Table {
  private let rows: [[String]]
  private let widths: [Int]

  /// - Parameters:
  ///   - dispensable: columns that are left out where the width does not suffice, in this order.
  ///   - width: the columns of the terminal; nil for as many as the rows need.
  init(_ rows: [[String]], dispensable: [Int] = [], width: Int? = nil) {
    var rows = rows.map { $0.map { VisibleText.line($0) } }
    var widths = Self.widths(rows)
    if let width {
      var gone: [Int] = []
      for column in dispensable where Self.total(widths) > width && column < widths.count + gone.count {
        let place = column - gone.count { $0 < column }
        rows = rows.map { row in row.enumerated().filter { $0.offset != place }.map(\.element) }
        widths.remove(at: place)
        gone.append(column)
      }
      // The widest column gives, down to what a heading needs.
      while Self.total(widths) > width, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }),
        widths[widest] > Self.narrowest
      {
        widths[widest] = max(Self.narrowest, widths[widest] - (Self.total(widths) - width))
      }
    }
    (self.rows, self.widths) = (rows, widths)
  }

  static func text(_ rows: [[String]]) -> String { Table(rows).text { _, _, text in text } }

  /// - Parameter paint: gives a cell its colour. It gets the row, the column and the padded text.
  func text(_ paint: (_ row: Int, _ column: Int, _ text: String) -> String) -> String {
    rows.enumerated().map { number, row in
      row.enumerated().map { column, cell in
        let shown = Self.shortened(cell, to: widths[column])
        let padding = String(repeating: " ", count: column == row.count - 1 ? 0 : widths[column] - shown.count)
        return paint(number, column, shown) + padding
      }.joined(separator: "  ") + "\n"
    }.joined()
  }

  private static let narrowest = 8

  private static func widths(_ rows: [[String]]) -> [Int] {
    var widths: [Int] = []
    for row in rows {
      for (index, cell) in row.enumerated() {
        if index == widths.count { widths.append(0) }
        widths[index] = max(widths[index], cell.count)
      }
    }
    return widths
  }

  private static func total(_ widths: [Int]) -> Int { widths.reduce(0, +) + max(0, widths.count - 1) * 2 }

  private static func shortened(_ text: String, to width: Int) -> String {
    text.count <= width ? text : text.prefix(max(width - 1, 1)) + "\u{2026}"
  }
}
