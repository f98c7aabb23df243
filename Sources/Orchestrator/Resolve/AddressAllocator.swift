import Addresses

/// Chooses subnets that nothing on the host uses, and addresses within them.
package struct AddressAllocator {
  /// A range that is taken, and by whom, as it stands in an error.
  struct Taken: Hashable {
    var prefix: IPv4Prefix
    var user: String
    /// The link that leads there, for a route of the host.
    var link: String?
  }

  /// The pools that subnets come from, in the order in which they are tried.
  let pools: [IPv4Prefix]

  /// The private ranges of RFC 1918 and, last, the shared one of RFC 6598, which some VPNs use.
  ///
  /// The first is outside the defaults of Docker (172.17–31, 192.168), podman (10.88) and Kubernetes (10.96, 10.244). The others
  /// serve hosts on which a route such as 10.0.0.0/8 has all of it.
  package static let defaultPools = ["10.208.0.0/12", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"]
    .compactMap(IPv4Prefix.init)

  private var taken: [Taken]

  init(pools: [IPv4Prefix], taken: [Taken]) {
    self.pools = pools
    self.taken = taken
  }

  /// The user of a range that overlaps a subnet; nil if none but those passed over does.
  func user(of subnet: IPv4Prefix, except isPassedOver: (Taken) -> Bool = { _ in false }) -> Taken? {
    taken.first { $0.prefix.overlaps(subnet) && !isPassedOver($0) }
  }

  /// The user of the largest range in a pool. Errors name it when the pool is used up.
  func widestUser(of pool: IPv4Prefix) -> Taken? {
    taken.filter { pool.overlaps($0.prefix) }.min { $0.prefix.length < $1.prefix.length }
  }

  mutating func claim(_ subnet: IPv4Prefix, for user: String) {
    taken.append(Taken(prefix: subnet, user: user))
  }

  /// The first free subnet with room for so many hosts beside the gateway; nil when the pools are used up.
  mutating func subnet(hosts: Int, for user: String) -> IPv4Prefix? {
    for pool in pools {
      if let subnet = subnet(in: pool, hosts: hosts, for: user) { return subnet }
    }
    return nil
  }

  private mutating func subnet(in pool: IPv4Prefix, hosts: Int, for user: String) -> IPv4Prefix? {
    // A pool narrower than /24 is one subnet, if it is wide enough.
    let length = Self.prefixLength(hosts: hosts, atLeast: pool.length)
    guard length >= pool.length else { return nil }
    let step = UInt32(1) << UInt32(32 - length)
    var candidate = pool.network.bits
    while let prefix = IPv4Prefix(containing: IPv4Address(bits: candidate), length: length),
      pool.contains(prefix.network)
    {
      guard let blocker = self.user(of: prefix) else {
        claim(prefix, for: user)
        return prefix
      }
      // Past whatever is in the way, to the next boundary: a blocker of /12 is one step, not sixteen thousand.
      let beyond = max(blocker.prefix.last.bits, prefix.last.bits)
      guard beyond < pool.last.bits else { return nil }
      candidate = (beyond / step + 1) * step
    }
    return nil
  }

  /// /24 as a rule, so that addresses are easy to read; wider when the services need it, narrower when the pool is.
  static func prefixLength(hosts: Int, atLeast shortest: Int = 24) -> Int {
    var length = max(24, shortest)
    // Three addresses are not for services: the network's own, the gateway's and the broadcast address.
    while length > 1, (1 << (32 - length)) - 3 < hosts { length -= 1 }
    return length
  }
}

/// Hands out the addresses of one subnet in order, around those that are fixed.
struct HostAddresses {
  /// Both addresses of a /31 (RFC 3021), and none of a /32.
  private let range: Range<UInt64>
  private var used: Set<UInt32>
  private var next: UInt64

  /// - Parameter reserved: the gateway and every address that the stack file fixes.
  init(subnet: IPv4Prefix, within range: IPv4Prefix?, reserved: some Sequence<IPv4Address>) {
    let edge: UInt64 = subnet.length == 31 ? 0 : 1
    let first = max(UInt64(subnet.network.bits) + edge, UInt64(range?.network.bits ?? 0))
    let end = min(UInt64(subnet.last.bits) + 1 - edge, UInt64(range?.last.bits ?? .max) + 1)
    self.range = first..<max(first, end)
    self.used = Set(reserved.map(\.bits))
    self.next = first
  }

  /// Keeps an address that a service already has; false when it is no longer to be had.
  mutating func take(_ address: IPv4Address) -> Bool {
    range.contains(UInt64(address.bits)) && used.insert(address.bits).inserted
  }

  /// The next free address; nil when the subnet is used up.
  mutating func take() -> IPv4Address? {
    while range.contains(next) {
      defer { next += 1 }
      let bits = UInt32(truncatingIfNeeded: next)
      if used.insert(bits).inserted { return IPv4Address(bits: bits) }
    }
    return nil
  }
}
