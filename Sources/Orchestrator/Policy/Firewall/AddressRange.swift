import Netlink

/// A stretch of one family's addresses, as numbers.
struct AddressRange: Hashable {
  var first: UInt128
  var last: UInt128

  init(_ first: UInt128, _ last: UInt128) {
    self.first = first
    self.last = last
  }

  init(_ address: IPAddress) {
    let number = address.octets.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
    self.init(number, number)
  }

  init(_ prefix: IPPrefix) {
    self.init(prefix.network)
    let free = prefix.network.octets.count * 8 - prefix.length
    last = first | (free >= 128 ? UInt128.max : (1 << UInt128(free)) - 1)
  }

  func meets(_ other: AddressRange) -> Bool { first <= other.last && other.first <= last }

  /// Sorted, and each apart from the next.
  static func merged(_ ranges: [AddressRange]) -> [AddressRange] {
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
  static func byFamily(_ prefixes: [IPPrefix]) -> [AddressFamily: [AddressRange]] {
    var ranges: [AddressFamily: [AddressRange]] = [:]
    for prefix in prefixes { ranges[AddressFamily(prefix.network), default: []].append(AddressRange(prefix)) }
    return ranges.mapValues(merged)
  }

  /// What of a whole is in none of several ranges.
  static func complement(of ranges: [AddressRange], in whole: AddressRange) -> [AddressRange] {
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

/// IPv4 or IPv6, as the firewall of a stack asks about addresses.
enum AddressFamily: CaseIterable {
  case v4
  case v6

  init(_ address: IPAddress) { self = address.isV4 ? .v4 : .v6 }

  var whole: AddressRange { AddressRange(0, self == .v4 ? UInt128(UInt32.max) : .max) }
  var type: NftType { self == .v4 ? .ipv4Address : .ipv6Address }
  var source: NftField { self == .v4 ? .ipSource : .ip6Source }
  var destination: NftField { self == .v4 ? .ipDestination : .ip6Destination }
  /// What tells a set's name from that of the other family's.
  var suffix: String { self == .v4 ? "" : "6" }

  func holds(_ address: IPAddress) -> Bool {
    switch address {
    case .v4: self == .v4
    case .v6: self == .v6
    }
  }

  func value(_ range: AddressRange) -> NftValue {
    range.first == range.last ? .address(address(range.first)) : .addresses(address(range.first), address(range.last))
  }

  func address(_ number: UInt128) -> IPAddress {
    switch self {
    case .v4: .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: number)))
    case .v6:
      .v6(IPv6Address(high: UInt64(truncatingIfNeeded: number >> 64), low: UInt64(truncatingIfNeeded: number)))
    }
  }
}

/// Cuts addresses into stretches by what is about them.
enum AddressPartition {
  /// - Parameter owners: for each number, the ranges that it is about, merged.
  /// - Returns: stretches in order, each with the numbers that are about all of it, in order; none for what nothing is about.
  static func stretches(_ owners: [(number: Int, ranges: [AddressRange])]) -> [(AddressRange, [Int])] {
    // A change at an address: a number begins, or has ended with the address before.
    var changes: [(at: UInt128, number: Int, begins: Bool)] = []
    for owner in owners {
      for range in owner.ranges {
        changes.append((range.first, owner.number, true))
        if range.last < .max { changes.append((range.last + 1, owner.number, false)) }
      }
    }
    changes.sort { $0.at < $1.at }
    var stretches: [(AddressRange, [Int])] = []
    var active: [Int] = []
    var index = 0
    while index < changes.count {
      let start = changes[index].at
      while index < changes.count, changes[index].at == start {
        let change = changes[index]
        let place = active.firstIndex { $0 >= change.number } ?? active.endIndex
        if change.begins {
          active.insert(change.number, at: place)
        } else if place < active.endIndex, active[place] == change.number {
          active.remove(at: place)
        }
        index += 1
      }
      guard !active.isEmpty else { continue }
      let end = index < changes.count ? changes[index].at - 1 : .max
      if let last = stretches.last, last.1 == active, last.0.last + 1 == start {
        stretches[stretches.count - 1].0.last = end
      } else {
        stretches.append((AddressRange(start, end), active))
      }
    }
    return stretches
  }
}
