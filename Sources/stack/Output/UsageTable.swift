import Glibc
import Orchestrator

/// The tables of `stats` and `top`, with Docker's headings.
enum UsageTable {
  /// - Parameter width: the columns of the terminal; nil for lines as long as they are.
  static func text(_ usages: [ServiceUsage], showsStack: Bool, width: Int? = nil) -> String {
    let headings = ["SERVICE", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS"]
    let rows =
      [headings]
      + usages.map { usage in
        [
          showsStack ? "\(usage.stack)/\(usage.service)" : usage.service, usage.processorPercentage,
          usage.memoryText, usage.memoryPercentage, usage.networkText, usage.blockText,
          usage.processText,
        ]
      }
    return Table(rows, dispensable: [5, 4, 3], width: width).text { _, _, text in text }
  }

  static func text(_ rows: [ProcessRow]) -> String {
    Table.text(
      [["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]]
        + rows.map { row in
          [
            "\(row.uid)", "\(row.pid)", "\(row.parent)", "\(row.usage)", clock(row.startedAt), row.terminal,
            "\(twoDigits(row.processorSeconds / 3600)):\(twoDigits(row.processorSeconds / 60 % 60)):"
              + twoDigits(row.processorSeconds % 60),
            row.command,
          ]
        })
  }

  /// `14:05`, where this machine is.
  private static func clock(_ seconds: Int) -> String {
    var (moment, parts) = (time_t(seconds), tm())
    localtime_r(&moment, &parts)
    return "\(twoDigits(Int(parts.tm_hour))):\(twoDigits(Int(parts.tm_min)))"
  }

  private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
