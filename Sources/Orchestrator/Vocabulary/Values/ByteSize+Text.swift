extension ByteSize {
  /// As Docker writes memory: `1.5GiB`.
  package static func text(_ count: UInt64) -> String {
    text(count, step: 1024, units: ["B", "KiB", "MiB", "GiB", "TiB"])
  }

  /// A count in the largest of the units that leaves a whole part, with three digits at most.
  package static func text(_ count: UInt64, step: Double, units: [String]) -> String {
    var (value, unit) = (Double(count), 0)
    while value >= step, unit < units.count - 1 { (value, unit) = (value / step, unit + 1) }
    guard unit > 0 else { return "\(count)\(units[0])" }
    return value.text(decimals: value < 10 ? 2 : value < 100 ? 1 : 0) + units[unit]
  }
}

extension Double {
  /// With so many decimals, rounded; for what is not negative.
  package func text(decimals count: Int) -> String {
    var scale = 1
    for _ in 0..<count { scale *= 10 }
    let whole = Int((self * Double(scale)).rounded())
    guard count > 0 else { return "\(whole)" }
    return "\(whole / scale).\(String(whole % scale + scale).dropFirst())"
  }
}
