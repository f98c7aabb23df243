import CNetfilter
import Kernel
import Netfilter

/// A rule as the kernel lists it: what can be said of it without knowing every kind of expression.
public struct NftRuleSummary: Hashable, Sendable {
  public enum Outcome: Hashable, Sendable {
    case accept, drop, reject
    /// A jump, a return, or nothing that ends a packet's way.
    case other
  }

  public var table: NftTableName
  public var chain: String
  /// The number by which it can be deleted.
  public var handle: UInt64
  public var comment: String?
  /// The value of its counter; 0 without one.
  public var packets: UInt64 = 0
  public var outcome = Outcome.other
  /// True if it asks nothing of a packet.
  public var isUnconditional = true
  /// The links that it asks whether a packet came by (`iifname`); one with `*` at its end stands for all that begin so.
  public var inputs: [String] = []
  /// The ports that it asks whether a packet goes to (`th dport`).
  public var ports: [UInt16] = []

  public init(table: NftTableName, chain: String, handle: UInt64) {
    self.table = table
    self.chain = chain
    self.handle = handle
  }
}

extension NetlinkSocket {
  /// The rules of a table, chain by chain, each chain's in order; none where there is no such table.
  public mutating func rules(of table: NftTableName) throws(KernelError) -> [NftRuleSummary] {
    do {
      return try dump("the rules of table \(table)") { writer in
        writer.begin(type: UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(NFT_MSG_GETRULE.rawValue), flags: 0)
        writer.putNetfilterHeader(family: table.family.rawValue)
        writer.attribute(Int(NFTA_RULE_TABLE.rawValue), table.name)
      } parse: {
        NftRuleSummary($0, $1)
      }
    } catch  where error.errno == .noSuchFileOrDirectory {
      return []
    }
  }
}

extension NftRuleSummary {
  /// Reads NFT_MSG_NEWRULE; nil if it is another message, cut, or of a family unknown here.
  init?(_ header: MessageHeader, _ payload: RawSpan) {
    guard header.type == UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(NFT_MSG_NEWRULE.rawValue),
      let family = payload.integer(UInt8.self).flatMap(NftFamily.init(rawValue:))
    else { return nil }
    var found = (table: String?.none, chain: String?.none, handle: UInt64?.none)
    var rule = NftRuleSummary(table: NftTableName(family, ""), chain: "", handle: 0)
    var loaded = Loaded.other
    payload.forEachAttribute(from: 4) { attribute, value in
      switch attribute {
      case Int(NFTA_RULE_TABLE.rawValue): found.table = value.text
      case Int(NFTA_RULE_CHAIN.rawValue): found.chain = value.text
      case Int(NFTA_RULE_HANDLE.rawValue): found.handle = value.integer(UInt64.self).map(UInt64.init(bigEndian:))
      case Int(NFTA_RULE_USERDATA.rawValue): rule.comment = Self.comment(in: value)
      case Int(NFTA_RULE_EXPRESSIONS.rawValue):
        value.forEachAttribute { _, value in rule.readExpression(value, &loaded) }
      default: break
      }
    }
    guard let table = found.table, let chain = found.chain, let handle = found.handle else { return nil }
    rule.table.name = table
    rule.chain = chain
    rule.handle = handle
    self = rule
  }

  /// The field that the preceding expression has loaded into a register, for the next one to compare.
  private enum Loaded { case inputName, destinationPort, other }

  private mutating func readExpression(_ expression: RawSpan, _ loaded: inout Loaded) {
    var name = ""
    expression.forEachAttribute { attribute, value in
      if attribute == Int(NFTA_EXPR_NAME.rawValue) { name = value.text }
    }
    switch name {
    case "counter", "log", "immediate", "reject": break
    default: isUnconditional = false
    }
    if name == "reject" { outcome = .reject }
    expression.forEachAttribute { attribute, data in
      guard attribute == Int(NFTA_EXPR_DATA.rawValue) else { return }
      switch name {
      case "meta", "payload": loaded = Self.loaded(by: data, name)
      case "cmp": readComparison(data, of: loaded)
      default: break
      }
      data.forEachAttribute { attribute, value in
        if name == "counter", attribute == Int(NFTA_COUNTER_PACKETS.rawValue) {
          packets += value.integer(UInt64.self).map(UInt64.init(bigEndian:)) ?? 0
        }
        if name == "immediate", attribute == Int(NFTA_IMMEDIATE_DATA.rawValue) { readVerdict(value) }
      }
    }
  }

  private static func loaded(by data: RawSpan, _ name: String) -> Loaded {
    var numbers: [Int: UInt32] = [:]
    data.forEachAttribute { attribute, value in
      numbers[attribute] = value.integer(UInt32.self).map(UInt32.init(bigEndian:))
    }
    if name == "meta" {
      return numbers[Int(NFTA_META_KEY.rawValue)] == NFT_META_IIFNAME.rawValue ? .inputName : .other
    }
    // The second half of the first word of TCP's header and of UDP's.
    let isPort =
      numbers[Int(NFTA_PAYLOAD_BASE.rawValue)] == NFT_PAYLOAD_TRANSPORT_HEADER.rawValue
      && numbers[Int(NFTA_PAYLOAD_OFFSET.rawValue)] == 2 && numbers[Int(NFTA_PAYLOAD_LEN.rawValue)] == 2
    return isPort ? .destinationPort : .other
  }

  private mutating func readComparison(_ data: RawSpan, of loaded: Loaded) {
    var isEqual = false
    data.forEachAttribute { attribute, value in
      switch attribute {
      case Int(NFTA_CMP_OP.rawValue):
        isEqual = value.integer(UInt32.self).map(UInt32.init(bigEndian:)) == NFT_CMP_EQ.rawValue
      case Int(NFTA_CMP_DATA.rawValue):
        guard isEqual else { return }
        value.forEachAttribute { attribute, value in
          guard attribute == Int(NFTA_DATA_VALUE.rawValue) else { return }
          switch loaded {
          // A whole name comes with its NUL, the beginning of one without.
          case .inputName:
            inputs.append(value.integer(UInt8.self, at: value.byteCount - 1) == 0 ? value.text : "\(value.text)*")
          case .destinationPort: ports += [value.integer(UInt16.self).map(UInt16.init(bigEndian:))].compactMap(\.self)
          case .other: break
          }
        }
      default: break
      }
    }
  }

  private mutating func readVerdict(_ data: RawSpan) {
    data.forEachAttribute { attribute, value in
      guard attribute == Int(NFTA_DATA_VERDICT.rawValue) else { return }
      value.forEachAttribute { attribute, value in
        guard attribute == Int(NFTA_VERDICT_CODE.rawValue) else { return }
        // NF_DROP and NF_ACCEPT; what jumps is negative.
        switch value.integer(UInt32.self).map(UInt32.init(bigEndian:)) {
        case 0: outcome = .drop
        case 1: outcome = .accept
        default: break
        }
      }
    }
  }

  /// User data is type, length and value in turn, an octet for each of the first two.
  private static func comment(in data: RawSpan) -> String? {
    var offset = 0
    while let type = data.integer(UInt8.self, at: offset), let length = data.integer(UInt8.self, at: offset + 1),
      offset + 2 + Int(length) <= data.byteCount
    {
      if UInt32(type) == NFTNL_UDATA_RULE_COMMENT.rawValue {
        return data.extracting(offset + 2..<offset + 2 + Int(length)).text
      }
      offset += 2 + Int(length)
    }
    return nil
  }
}
