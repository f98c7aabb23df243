/// Sizes as Compose writes them: `64m`, `1.5gb`, `1 g`, `65536`. Units are powers of 1024.
package enum ByteSize {
  /// Nil when it is not a size, or does not fit 63 bits.
  package static func parse(_ text: String) -> UInt64? {
    var digits = text.lowercased()
    if digits.hasSuffix("b") { digits.removeLast() }
    if digits.hasSuffix("i") { digits.removeLast() }
    var shift: UInt64 = 0
    if let last = digits.last, let place = Array("kmgtp").firstIndex(of: last) {
      shift = UInt64(place + 1) * 10
      digits.removeLast()
      if digits.hasSuffix(" ") { digits.removeLast() }
    } else if text.lowercased().hasSuffix("i") || text.lowercased().hasSuffix("ib") {
      return nil
    }
    let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count),
      parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
      let whole = UInt64(parts[0]), whole <= UInt64(Int64.max) >> shift
    else { return nil }
    var size = whole << shift
    var scale: UInt64 = 1 << shift
    for digit in parts.count == 2 ? parts[1] : "" {
      // Exact enough: what is below a byte is dropped.
      size += UInt64(digit.wholeNumberValue ?? 0) * scale / 10
      scale /= 10
    }
    return size <= UInt64(Int64.max) ? size : nil
  }
}
