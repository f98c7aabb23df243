import Vocabulary

/// The packets that one end may send to another: ports of TCP and UDP, ICMP, and everything else.
struct PortSet: Hashable, Sendable {
  /// Sorted, disjoint and not adjacent, from 1 to 65,535.
  private(set) var tcp: [ClosedRange<Int>] = []
  private(set) var udp: [ClosedRange<Int>] = []
  var hasICMP = false
  /// Other protocols, such as SCTP.
  var hasOthers = false

  static let none = PortSet()
  static let allPorts = 1...65535
  static let everything = PortSet(tcp: [allPorts], udp: [allPorts], hasICMP: true, hasOthers: true)

  var isEmpty: Bool { self == .none }
  var isEverything: Bool { self == .everything }

  private init(
    tcp: [ClosedRange<Int>] = [], udp: [ClosedRange<Int>] = [], hasICMP: Bool = false, hasOthers: Bool = false
  ) {
    (self.tcp, self.udp, self.hasICMP, self.hasOthers) = (tcp, udp, hasICMP, hasOthers)
  }

  /// - Parameter selectors: those of a rule; empty for everything.
  init(_ selectors: [PortSelector]) {
    guard !selectors.isEmpty else {
      self = .everything
      return
    }
    self.init()
    for selector in selectors {
      let range = max(1, Int(selector.ports.lowerBound))...max(1, Int(selector.ports.upperBound))
      switch selector.transport {
      case .tcp: tcp = Self.union(tcp, [range])
      case .udp: udp = Self.union(udp, [range])
      case .icmp: hasICMP = true
      }
    }
  }

  static func port(_ number: UInt16, isTCP: Bool) -> PortSet {
    let range = max(1, Int(number))...max(1, Int(number))
    return isTCP ? PortSet(tcp: [range]) : PortSet(udp: [range])
  }

  mutating func formUnion(_ other: PortSet) {
    tcp = Self.union(tcp, other.tcp)
    udp = Self.union(udp, other.udp)
    hasICMP = hasICMP || other.hasICMP
    hasOthers = hasOthers || other.hasOthers
  }

  func intersection(_ other: PortSet) -> PortSet {
    PortSet(
      tcp: Self.intersection(tcp, other.tcp), udp: Self.intersection(udp, other.udp),
      hasICMP: hasICMP && other.hasICMP, hasOthers: hasOthers && other.hasOthers)
  }

  mutating func subtract(_ other: PortSet) {
    tcp = Self.difference(tcp, other.tcp)
    udp = Self.difference(udp, other.udp)
    hasICMP = hasICMP && !other.hasICMP
    hasOthers = hasOthers && !other.hasOthers
  }

  func containsTCP(_ port: UInt16) -> Bool { tcp.contains { $0.contains(Int(port)) } }
  func containsUDP(_ port: UInt16) -> Bool { udp.contains { $0.contains(Int(port)) } }

  // MARK: Ranges

  private static func union(_ left: [ClosedRange<Int>], _ right: [ClosedRange<Int>]) -> [ClosedRange<Int>] {
    var result: [ClosedRange<Int>] = []
    for range in (left + right).sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = result.last, range.lowerBound <= last.upperBound + 1 {
        result[result.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        result.append(range)
      }
    }
    return result
  }

  private static func intersection(_ left: [ClosedRange<Int>], _ right: [ClosedRange<Int>]) -> [ClosedRange<Int>] {
    left.flatMap { range in right.filter { $0.overlaps(range) }.map { $0.clamped(to: range) } }
  }

  private static func difference(_ left: [ClosedRange<Int>], _ right: [ClosedRange<Int>]) -> [ClosedRange<Int>] {
    right.reduce(left) { rest, hole in
      rest.flatMap { range -> [ClosedRange<Int>] in
        guard range.overlaps(hole) else { return [range] }
        var parts: [ClosedRange<Int>] = []
        if range.lowerBound < hole.lowerBound { parts.append(range.lowerBound...hole.lowerBound - 1) }
        if range.upperBound > hole.upperBound { parts.append(hole.upperBound + 1...range.upperBound) }
        return parts
      }
    }
  }
}
