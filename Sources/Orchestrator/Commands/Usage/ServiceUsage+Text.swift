import Vocabulary

/// As Docker writes these figures.
extension ServiceUsage {
  package var processorPercentage: String { processors.map { Self.percentage($0) } ?? "-" }
  package var memoryPercentage: String { memoryFraction.map { Self.percentage($0) } ?? "-" }

  package var memoryText: String {
    Self.pair(memory, memoryLimit, { ByteSize.text($0) })
  }

  /// `9 / 10`, or the number alone where there is no limit.
  package var processText: String {
    processLimit.map { "\(processes.map(String.init) ?? "-") / \($0)" } ?? processes.map(String.init) ?? "-"
  }

  package var networkText: String { Self.pair(received, sent, Self.decimalBytes) }
  package var blockText: String { Self.pair(bytesRead, bytesWritten, Self.decimalBytes) }

  private static func pair(_ first: UInt64?, _ second: UInt64?, _ text: (UInt64) -> String) -> String {
    first == nil && second == nil ? "-" : "\(first.map(text) ?? "-") / \(second.map(text) ?? "-")"
  }

  private static func decimalBytes(_ count: UInt64) -> String {
    ByteSize.text(count, step: 1000, units: ["B", "kB", "MB", "GB", "TB"])
  }

  private static func percentage(_ fraction: Double) -> String { (fraction * 100).text(decimals: 2) + "%" }

  private struct Line: Encodable {
    var name: String
    var stack: String
    var cpuPerc: String
    var memUsage: String
    var memPerc: String
    var netIO: String
    var blockIO: String
    var pids: String
    var processors: Double?
    var memory: UInt64?
    var memoryLimit: UInt64?
    var received: UInt64?
    var sent: UInt64?
    var bytesRead: UInt64?
    var bytesWritten: UInt64?
    var processLimit: UInt64?

    enum CodingKeys: String, CodingKey {
      case name = "Name"
      case stack = "Project"
      case cpuPerc = "CPUPerc"
      case memUsage = "MemUsage"
      case memPerc = "MemPerc"
      case netIO = "NetIO"
      case blockIO = "BlockIO"
      case pids = "PIDs"
      case processors = "Processors"
      case memory = "MemoryBytes"
      case memoryLimit = "MemoryLimitBytes"
      case received = "ReceivedBytes"
      case sent = "SentBytes"
      case bytesRead = "ReadBytes"
      case bytesWritten = "WrittenBytes"
      case processLimit = "PIDsLimit"
    }
  }

  /// Docker's field names and texts, and beside them the figures as numbers. One JSON object on a line.
  package var jsonLine: String {
    let line = Line(
      name: service, stack: stack, cpuPerc: processorPercentage, memUsage: memoryText, memPerc: memoryPercentage,
      netIO: networkText, blockIO: blockText, pids: processes.map(String.init) ?? "-", processors: processors,
      memory: memory, memoryLimit: memoryLimit, received: received, sent: sent, bytesRead: bytesRead,
      bytesWritten: bytesWritten, processLimit: processLimit)
    return JSONText.line(line)
  }
}
