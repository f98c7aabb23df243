import FoundationEssentials

/// As Docker writes these figures.
extension ServiceUsage {
  public var processorPercentage: String { processors.map { Self.percentage($0) } ?? "-" }
  public var memoryPercentage: String { memoryFraction.map { Self.percentage($0) } ?? "-" }

  public var memoryText: String {
    Self.pair(memory, memoryLimit, Self.memorySize)
  }

  /// `1.5GiB`
  static func memorySize(_ count: UInt64) -> String {
    bytes(count, step: 1024, units: ["B", "KiB", "MiB", "GiB", "TiB"])
  }

  public var networkText: String { Self.pair(received, sent, Self.decimalBytes) }
  public var blockText: String { Self.pair(bytesRead, bytesWritten, Self.decimalBytes) }

  private static func pair(_ first: UInt64?, _ second: UInt64?, _ text: (UInt64) -> String) -> String {
    first == nil && second == nil ? "-" : "\(first.map(text) ?? "-") / \(second.map(text) ?? "-")"
  }

  private static func decimalBytes(_ count: UInt64) -> String {
    bytes(count, step: 1000, units: ["B", "kB", "MB", "GB", "TB"])
  }

  static func bytes(_ count: UInt64, step: Double, units: [String]) -> String {
    var (value, unit) = (Double(count), 0)
    while value >= step, unit < units.count - 1 { (value, unit) = (value / step, unit + 1) }
    return unit == 0 ? "\(count)\(units[0])" : "\(decimals(value, value < 10 ? 2 : value < 100 ? 1 : 0))\(units[unit])"
  }

  private static func percentage(_ fraction: Double) -> String { decimals(fraction * 100, 2) + "%" }

  private static func decimals(_ value: Double, _ count: Int) -> String {
    var scale = 1
    for _ in 0..<count { scale *= 10 }
    let whole = Int((value * Double(scale)).rounded())
    guard count > 0 else { return "\(whole)" }
    return "\(whole / scale).\(String(whole % scale + scale).dropFirst())"
  }

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
    }
  }

  /// Docker's field names and texts, and beside them the figures as numbers. One JSON object on a line.
  public var jsonLine: String {
    let line = Line(
      name: service, stack: stack, cpuPerc: processorPercentage, memUsage: memoryText, memPerc: memoryPercentage,
      netIO: networkText, blockIO: blockText, pids: processes.map(String.init) ?? "-", processors: processors,
      memory: memory, memoryLimit: memoryLimit, received: received, sent: sent, bytesRead: bytesRead,
      bytesWritten: bytesWritten)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(line)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}
