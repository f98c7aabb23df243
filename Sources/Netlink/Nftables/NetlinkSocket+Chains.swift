import CNetfilter
import Kernel
import Netfilter

/// A base chain as the kernel lists it, without its rules: what else decides about packets on a host.
public struct NftBaseChainSummary: Hashable, Sendable {
  public var table: NftTableName
  public var chain: String
  public var type: NftChainType
  /// Of `ingress` and `egress`, the device is the first that the chain is for.
  public var hook: NftHook
  public var priority: Int32
  public var policy: NftBase.Policy

  public init(
    table: NftTableName, chain: String, type: NftChainType, hook: NftHook, priority: Int32, policy: NftBase.Policy
  ) {
    self.table = table
    self.chain = chain
    self.type = type
    self.hook = hook
    self.priority = priority
    self.policy = policy
  }
}

extension NetlinkSocket {
  /// The base chains of the socket's namespace, of all families known here, whoever made them. The tables that
  /// iptables-nft(8) keeps are among them; those of iptables-legacy(8) are not.
  public mutating func baseChains() throws(KernelError) -> [NftBaseChainSummary] {
    try dump("nftables chains") { writer in
      writer.begin(type: UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(NFT_MSG_GETCHAIN.rawValue), flags: 0)
      writer.putNetfilterHeader(family: 0)
    } parse: {
      NftBaseChainSummary($0, $1)
    }
  }
}

extension NetlinkSocket {
  /// The names of a table's chains, base chains and others; none where there is no such table.
  public mutating func chains(of table: NftTableName) throws(KernelError) -> [String] {
    let found: [(NftTableName, String)] = try dump("nftables chains") { writer in
      writer.begin(type: UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(NFT_MSG_GETCHAIN.rawValue), flags: 0)
      writer.putNetfilterHeader(family: table.family.rawValue)
    } parse: { header, payload in
      guard header.type == UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(NFT_MSG_NEWCHAIN.rawValue) else { return nil }
      var names = (table: "", chain: "")
      payload.forEachAttribute(from: 4) { attribute, value in
        switch attribute {
        case Int(NFTA_CHAIN_TABLE.rawValue): names.table = value.text
        case Int(NFTA_CHAIN_NAME.rawValue): names.chain = value.text
        default: break
        }
      }
      return (NftTableName(table.family, names.table), names.chain)
    }
    return found.filter { $0.0 == table }.map(\.1)
  }
}

extension NftBaseChainSummary {
  /// Reads NFT_MSG_NEWCHAIN; nil if it is another message, cut, of a chain without a hook, or of a kind unknown here.
  init?(_ header: MessageHeader, _ payload: RawSpan) {
    guard header.type == UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(NFT_MSG_NEWCHAIN.rawValue),
      let family = payload.integer(UInt8.self).flatMap(NftFamily.init(rawValue:))
    else { return nil }
    var table: String?
    var name: String?
    var type: NftChainType?
    var hook: NftHook?
    var priority: Int32?
    var policy = NftBase.Policy.accept
    var isKnown = true
    payload.forEachAttribute(from: 4) { attribute, value in
      switch attribute {
      case Int(NFTA_CHAIN_TABLE.rawValue): table = value.text
      case Int(NFTA_CHAIN_NAME.rawValue): name = value.text
      case Int(NFTA_CHAIN_TYPE.rawValue): type = NftChainType(rawValue: value.text)
      case Int(NFTA_CHAIN_HOOK.rawValue): (hook, priority) = Self.hook(in: value, family)
      case Int(NFTA_CHAIN_POLICY.rawValue):
        let number = value.integer(UInt32.self).map(UInt32.init(bigEndian:))
        if let known = number.flatMap(NftBase.Policy.init(rawValue:)) { policy = known } else { isKnown = false }
      default: break
      }
    }
    guard let table, let name, let type, let hook, let priority, isKnown else { return nil }
    self.init(
      table: NftTableName(family, table), chain: name, type: type, hook: hook, priority: priority, policy: policy)
  }

  /// Reads NFTA_CHAIN_HOOK, whose numbers are in network byte order.
  private static func hook(in value: RawSpan, _ family: NftFamily) -> (NftHook?, Int32?) {
    var number: UInt32?
    var priority: Int32?
    var device: String?
    value.forEachAttribute { attribute, value in
      switch attribute {
      case Int(NFTA_HOOK_HOOKNUM.rawValue): number = value.integer(UInt32.self).map(UInt32.init(bigEndian:))
      case Int(NFTA_HOOK_PRIORITY.rawValue): priority = value.integer(Int32.self).map(Int32.init(bigEndian:))
      case Int(NFTA_HOOK_DEV.rawValue): device = value.text
      case Int(NFTA_HOOK_DEVS.rawValue):
        value.forEachAttribute { _, value in device = device ?? value.text }
      default: break
      }
    }
    return (number.flatMap { NftHook(number: $0, family, device: device ?? "") }, priority)
  }
}

extension NftHook {
  /// From NF_INET_* (linux/netfilter.h), and NF_NETDEV_* for family `netdev`.
  fileprivate init?(number: UInt32, _ family: NftFamily, device: String) {
    switch (family, number) {
    case (.netdev, 0), (.inet, 5): self = .ingress(device: device)
    case (.netdev, 1): self = .egress(device: device)
    case (.netdev, _): return nil
    case (_, 0): self = .prerouting
    case (_, 1): self = .input
    case (_, 2): self = .forward
    case (_, 3): self = .output
    case (_, 4): self = .postrouting
    default: return nil
    }
  }
}
