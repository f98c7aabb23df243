import Addresses
import Intent
import StackFiles
import Vocabulary

extension Resolver {
  static func takenPrefixes(_ facts: HostFacts) -> [(prefix: IPv6Prefix, user: String)] {
    facts.ranges.compactMap { range in
      guard case .v6(let prefix) = range.prefix else { return nil }
      return (prefix, range.user)
    }
  }

  /// Claims the file's fixed subnets first, so that no chosen one stands in their way.
  mutating func claimFixedPrefixes(_ networks: [StackFile.Network]) {
    for network in networks {
      guard let subnet = network.subnet6 else { continue }
      if network.hasHost, let taken = takenPrefixes.first(where: { $0.prefix.overlaps(subnet.value) }) {
        errors.append(
          StackError(
            "\(stackName)/\(network.name.value)", "subnet \(subnet.value) overlaps \(taken.prefix), \(taken.user)",
            remedy: "choose another subnet in \(subnet.span.place), or leave it out and one is chosen"))
      }
      takenPrefixes.append((subnet.value, "network \(network.name.value)"))
    }
  }

  /// The file's subnet, or the one that the network has had, or a unique local one (RFC 4193). The latter is derived
  /// from the names of stack and network, so it stays the same from one `up` to the next.
  mutating func chooseIPv6(of network: StackFile.Network) -> DesiredNetwork.IPv6? {
    guard network.hasIPv6 else { return nil }
    let name = network.name.value
    guard facts.hasIPv6 else {
      errors.append(
        StackError(
          "\(stackName)/\(name)", "IPv6 is not to be had: this kernel has none",
          remedy: "leave enable_ipv6 out in \(network.name.span.place), or boot without ipv6.disable=1"))
      return nil
    }
    guard let subnet = network.subnet6?.value ?? freePrefix(for: network) else { return nil }
    return DesiredNetwork.IPv6(subnet: subnet, gateway: network.gateway6?.value ?? subnet.firstHost)
  }

  /// The number of subnets that are tried. Each 64 of them belong to another site.
  private static let mostAttempts = 1024

  private mutating func freePrefix(for network: StackFile.Network) -> IPv6Prefix? {
    let name = network.name.value
    func user(of candidate: IPv6Prefix) -> (prefix: IPv6Prefix, user: String)? {
      takenPrefixes.first { $0.prefix.overlaps(candidate) }
    }
    if let kept = previous?.network(named: name)?.ipv6?.subnet, kept.isUniqueLocal, kept.length == 64,
      user(of: kept) == nil
    {
      takenPrefixes.append((kept, "network \(name)"))
      return kept
    }
    var blocker: (prefix: IPv6Prefix, user: String)?
    for attempt in 0..<Self.mostAttempts {
      let candidate = IPv6Prefix.uniqueLocal(stack: stackName, network: name, attempt: attempt)
      blocker = user(of: candidate)
      guard blocker != nil else {
        takenPrefixes.append((candidate, "network \(name)"))
        return candidate
      }
    }
    errors.append(
      StackError(
        "\(stackName)/\(name)",
        "none of \(Self.mostAttempts) subnets in fd00::/8 is free"
          + (blocker.map { ": \($0.prefix) is \($0.user)" } ?? ""),
        remedy: "give the network an IPv6 subnet in \(network.name.span.place), or remove what is in the way"))
    return nil
  }

  static func fixedIPv6Addresses(of service: StackFile.Service, on network: String) -> [IPv6Address] {
    service.attachments.filter { $0.network.value == network }.compactMap { $0.address6?.value }
  }
}

extension IPv6Prefix {

  /// In fd00::/8 (RFC 4193, 3.1).
  var isUniqueLocal: Bool { network.high >> 56 == 0xFD }

  /// A /64 of its own: fd, forty bits of the stack and sixteen of the network.
  ///
  /// - Parameter attempt: counts up while the subnet is somebody else's.
  static func uniqueLocal(stack: String, network: String, attempt: Int) -> IPv6Prefix {
    let global = StableHash("ipv6", stack).value & 0xFF_FFFF_FFFF
    let subnet = StableHash("ipv6", stack, network, String(attempt)).value & 0xFFFF
    // Sixteen bits of many attempts are used up one day; forty more are not.
    let shifted = global &+ UInt64(attempt / 64)
    return IPv6Prefix(high: 0xFD << 56 | (shifted & 0xFF_FFFF_FFFF) << 16 | subnet)
  }

  private init(high: UInt64) {
    self = IPv6Prefix(containing: IPv6Address(high: high, low: 0), length: 64) ?? .any
  }
}

/// Hands out the addresses of one IPv6 subnet. The fifth address goes to the service with the fifth address of the IPv4
/// subnet, unless another service has it fixed. So the two are easy to read together.
struct IPv6HostAddresses {
  private let subnet: IPv6Prefix
  private var used: Set<IPv6Address>

  init(_ network: DesiredNetwork.IPv6, reserved: [IPv6Address]) {
    subnet = network.subnet
    used = Set(reserved + (network.subnet.length < 127 ? [network.subnet.network] : []))
  }

  /// nil when the subnet is used up.
  mutating func take(besides address: IPv4Address, in ipv4: IPv4Prefix) -> IPv6Address? {
    let number = UInt64(address.bits - ipv4.network.bits)
    if let address = host(number), used.insert(address).inserted { return address }
    // Beyond all that an IPv4 subnet can have, or in a narrow subnet from its beginning.
    let start: UInt64 = host(1 << 32) == nil ? (subnet.length < 127 ? 1 : 0) : 1 << 32
    var next = start
    while let address = host(next) {
      if used.insert(address).inserted { return address }
      next += 1
    }
    return nil
  }

  private func host(_ number: UInt64) -> IPv6Address? {
    let (low, overflow) = subnet.network.low.addingReportingOverflow(number)
    let address = IPv6Address(high: subnet.network.high, low: low)
    return !overflow && subnet.contains(address) ? address : nil
  }
}
