import Netlink

/// Chooses subnets that nothing on the host uses, and addresses within them.
struct AddressAllocator {
  /// A range that is taken, and by whom, as it stands in an error.
  struct Taken: Hashable {
    var prefix: IPv4Prefix
    var user: String
  }

  /// Where subnets come from. Outside the defaults of Docker (172.17–31, 192.168), podman (10.88) and Kubernetes (10.96, 10.244).
  let pool: IPv4Prefix

  /// 10.208.0.0/12
  static let defaultPool = IPv4Prefix(containing: IPv4Address(bits: 0x0AD0_0000), length: 12) ?? .everything

  private var taken: [Taken]

  init(pool: IPv4Prefix, taken: [Taken]) {
    self.pool = pool
    self.taken = taken
  }

  /// What overlaps a subnet, if anything does.
  func user(of subnet: IPv4Prefix) -> Taken? {
    taken.first { $0.prefix.overlaps(subnet) }
  }

  mutating func claim(_ subnet: IPv4Prefix, for user: String) {
    taken.append(Taken(prefix: subnet, user: user))
  }

  /// The first free subnet with room for so many hosts beside the gateway; nil when the pool is used up.
  mutating func subnet(hosts: Int, for user: String) -> IPv4Prefix? {
    let length = Self.prefixLength(hosts: hosts)
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

  /// /24 as a rule, so that addresses are easy to read; wider when the services need it.
  static func prefixLength(hosts: Int) -> Int {
    var length = 24
    // Three addresses are not for services: the network's own, the gateway's and the broadcast address.
    while length > 1, (1 << (32 - length)) - 3 < hosts { length -= 1 }
    return length
  }
}

/// Hands out the addresses of one subnet in order, around those that are fixed.
struct HostAddresses {
  private let range: ClosedRange<UInt32>
  private var used: Set<UInt32>
  private var next: UInt32

  /// - Parameter reserved: the gateway and every address that the stack file fixes.
  init(subnet: IPv4Prefix, within range: IPv4Prefix?, reserved: some Sequence<IPv4Address>) {
    let first = max(subnet.network.bits + 1, range?.network.bits ?? 0)
    let last = min(subnet.last.bits - 1, range?.last.bits ?? .max)
    self.range = first...max(first, last)
    self.used = Set(reserved.map(\.bits))
    self.next = first
  }

  /// Keeps an address that a service already has; false when it is no longer to be had.
  mutating func take(_ address: IPv4Address) -> Bool {
    range.contains(address.bits) && used.insert(address.bits).inserted
  }

  /// The next free address; nil when the subnet is used up.
  mutating func take() -> IPv4Address? {
    while range.contains(next) {
      defer { next += 1 }
      if used.insert(next).inserted { return IPv4Address(bits: next) }
    }
    return nil
  }
}
