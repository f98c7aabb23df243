import Addresses

/// A stretch of one family's addresses, as numbers.
package struct AddressRange: Hashable {
  package var first: UInt128
  package var last: UInt128

  package init(_ first: UInt128, _ last: UInt128) {
    self.first = first
    self.last = last
  }

  package init(_ address: IPAddress) {
    let number = address.octets.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
    self.init(number, number)
  }

  package init(_ prefix: IPPrefix) {
    self.init(prefix.network)
    let free = prefix.network.octets.count * 8 - prefix.length
    last = first | (free >= 128 ? UInt128.max : (1 << UInt128(free)) - 1)
  }

  package func meets(_ other: AddressRange) -> Bool { first <= other.last && other.first <= last }

  /// Sorted, and each apart from the next.
  package static func merged(_ ranges: [AddressRange]) -> [AddressRange] {
    var merged: [AddressRange] = []
    for range in ranges.sorted(by: { $0.first < $1.first }) {
      if let before = merged.last, before.last == .max || range.first <= before.last + 1 {
        merged[merged.count - 1].last = max(before.last, range.last)
      } else {
        merged.append(range)
      }
    }
    return merged
  }

  /// Merged, each family by itself; none for a family without any.
  package static func byFamily(_ prefixes: [IPPrefix]) -> [AddressFamily: [AddressRange]] {
    var ranges: [AddressFamily: [AddressRange]] = [:]
    for prefix in prefixes { ranges[AddressFamily(prefix.network), default: []].append(AddressRange(prefix)) }
    return ranges.mapValues(merged)
  }

  /// The parts of a whole that are in none of several ranges.
  package static func complement(of ranges: [AddressRange], in whole: AddressRange) -> [AddressRange] {
    var rest: [AddressRange] = []
    var next = whole.first
    for range in merged(ranges) {
      if range.first > next { rest.append(AddressRange(next, range.first - 1)) }
      guard range.last < whole.last else { return rest }
      next = range.last + 1
    }
    rest.append(AddressRange(next, whole.last))
    return rest
  }
}

/// IPv4 or IPv6.
package enum AddressFamily: CaseIterable {
  case v4
  case v6

  package init(_ address: IPAddress) { self = address.isV4 ? .v4 : .v6 }

  package var whole: AddressRange { AddressRange(0, self == .v4 ? UInt128(UInt32.max) : .max) }
  /// The end of a set's name, which differs by family.
  package var suffix: String { self == .v4 ? "" : "6" }

  package func holds(_ address: IPAddress) -> Bool {
    switch address {
    case .v4: self == .v4
    case .v6: self == .v6
    }
  }

  package func address(_ number: UInt128) -> IPAddress {
    switch self {
    case .v4: .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: number)))
    case .v6:
      .v6(IPv6Address(high: UInt64(truncatingIfNeeded: number >> 64), low: UInt64(truncatingIfNeeded: number)))
    }
  }
}
