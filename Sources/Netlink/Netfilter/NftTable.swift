/// The type of a base chain (nft(8), CHAINS).
public enum NftChainType: String, Hashable, Sendable {
  case filter
  case nat
  case route
}

/// The hook of a base chain: its place on a packet's way.
public enum NftHook: Hashable, Sendable {
  case prerouting
  case input
  case forward
  case output
  case postrouting
  /// Packets that come in by one link; for tables of family `netdev`.
  case ingress(device: String)
  case egress(device: String)

  package var number: UInt32 {
    switch self {
    case .prerouting, .ingress: 0
    case .input, .egress: 1
    case .forward: 2
    case .output: 3
    case .postrouting: 4
    }
  }

  package var device: String? {
    switch self {
    case .ingress(let device), .egress(let device): device
    default: nil
    }
  }

  var rendered: String {
    switch self {
    case .prerouting: "prerouting"
    case .input: "input"
    case .forward: "forward"
    case .output: "output"
    case .postrouting: "postrouting"
    case .ingress(let device): "ingress device \(nftQuoted(device))"
    case .egress(let device): "egress device \(nftQuoted(device))"
    }
  }
}

/// The hook, type and priority of a base chain: packets enter it by themselves.
public struct NftBase: Hashable, Sendable {
  public enum Policy: UInt32, Hashable, Sendable {
    case drop = 0
    case accept = 1
  }

  public var type: NftChainType
  public var hook: NftHook
  /// The place among the chains of a hook, the lowest first: dstnat is -100, filter 0, srcnat 100.
  public var priority: Int32
  /// The verdict on packets that no rule decides on.
  public var policy: Policy

  public init(_ type: NftChainType, _ hook: NftHook, priority: Int32, policy: Policy = .accept) {
    self.type = type
    self.hook = hook
    self.priority = priority
    self.policy = policy
  }
}

/// A chain of rules: a base chain, or one that others jump to.
public struct NftChain: Hashable, Sendable {
  public var name: String
  public var base: NftBase?
  public var rules: [NftRule]
  public var comment: String?

  public init(_ name: String, base: NftBase? = nil, rules: [NftRule] = [], comment: String? = nil) {
    self.name = name
    self.base = base
    self.rules = rules
    self.comment = comment
  }
}

/// The name of a table: its family and its own name.
public struct NftTableName: Hashable, Sendable {
  public var family: NftFamily
  public var name: String

  public init(_ family: NftFamily, _ name: String) {
    self.family = family
    self.name = name
  }
}

extension NftTableName: CustomStringConvertible {
  /// As nft writes it: `inet stack_web`.
  public var description: String { "\(family.rendered) \(name)" }
}

/// A table with all that is in it (nft(8), TABLES).
public struct NftTable: Hashable, Sendable {
  public var name: NftTableName
  /// At most 127 octets: whose the table is.
  public var comment: String?
  public var chains: [NftChain]
  public var sets: [NftSet]
  public var maps: [NftMap]
  public var counters: [NftCounter]

  public init(
    _ family: NftFamily, _ name: String, comment: String? = nil, chains: [NftChain] = [], sets: [NftSet] = [],
    maps: [NftMap] = [], counters: [NftCounter] = []
  ) {
    self.name = NftTableName(family, name)
    self.comment = comment
    self.chains = chains
    self.sets = sets
    self.maps = maps
    self.counters = counters
  }
}
