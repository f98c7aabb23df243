import Kernel
import Vocabulary
import Host

/// The table that `up` and `ps` print.
enum StatusTable {
  static func show(_ statuses: [StackIndex.ServiceStatus], showsStack: Bool = false) {
    let rows = statuses.map { cells($0, showsStack: showsStack) }
    print(Table.text([["SERVICE", "STATE", "PID", "ADDRESSES", "PORTS"]] + rows), terminator: "")
  }

  private static func cells(_ status: StackIndex.ServiceStatus, showsStack: Bool) -> [String] {
    let name = showsStack ? "\(status.stack)/\(status.name)" : status.name
    let pid = status.pid.map { "\($0)" } ?? "-"
    return [name, status.state, pid, list(status.addresses), list(status.ports)]
  }

  private static func list(_ values: [String]) -> String {
    values.isEmpty ? "-" : values.joined(separator: ", ")
  }
}

/// Columns as wide as they need to be, with two spaces between. What a terminal would obey is shown.
enum Table {
  static func text(_ rows: [[String]]) -> String {
    let rows = rows.map { $0.map { VisibleText.line($0) } }
    var widths: [Int] = []
    for row in rows {
      for (index, cell) in row.enumerated() {
        if index == widths.count { widths.append(0) }
        widths[index] = max(widths[index], cell.count)
      }
    }
    return rows.map { row in
      let cells = row.enumerated().map { index, cell in
        index == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count)
      }
      return cells.joined(separator: "  ") + "\n"
    }.joined()
  }
}
