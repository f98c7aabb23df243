import Glibc
import Host
import Kernel
import Vocabulary

/// The table that `up` and `ps` print.
enum StatusTable {
  /// - Parameter isWhole: true for lines as long as they are, also in a narrow terminal.
  static func show(_ statuses: [StackIndex.ServiceStatus], showsStack: Bool = false, isWhole: Bool = false) {
    let rows = statuses.map { cells($0, showsStack: showsStack) }
    let isColoured = Terminal.showsColour(STDOUT_FILENO)
    let table = Table(
      [["SERVICE", "STATE", "PID", "ADDRESSES", "PORTS"]] + rows, dispensable: [2, 3],
      width: isWhole ? nil : Terminal.widthIfTerminal)
    print(
      table.text { row, column, text in
        isColoured && column == 1 && row > 0
          ? paint(statuses[row - 1]).map { "\u{1B}[\($0)m\(text)\u{1B}[0m" } ?? text : text
      }, terminator: "")
  }

  private static func cells(_ status: StackIndex.ServiceStatus, showsStack: Bool) -> [String] {
    let name = showsStack ? "\(status.stack)/\(status.name)" : status.name
    let pid = status.pid.map { "\($0)" } ?? "-"
    return [name, status.state, pid, list(status.addresses), list(status.ports)]
  }

  private static func list(_ values: [String]) -> String {
    values.isEmpty ? "-" : values.joined(separator: ", ")
  }

  /// Green for what is well, red for what is not, yellow for what is on its way.
  private static func paint(_ status: StackIndex.ServiceStatus) -> Int? {
    switch status.record.phase {
    case .running: status.record.healthStatus == .unhealthy ? 31 : status.record.healthStatus == .starting ? 33 : 32
    case .starting, .restarting, .created: 33
    case .exited: status.record.exitCode == 0 ? nil : 31
    }
  }
}
