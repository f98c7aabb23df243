import Addresses
import CNetfilter
import Kernel

/// A rule of policy routing: which table is asked for which packets (ip-rule(8)).
public struct RouteRule: Hashable, Sendable {
  /// The action for a packet that the rule matches (FR_ACT_* in linux/fib_rules.h).
  public struct Action: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let lookUp = Action(rawValue: 1)
    public static let blackhole = Action(rawValue: 6)
    public static let unreachable = Action(rawValue: 7)
    public static let prohibit = Action(rawValue: 8)
  }

  /// The lowest is asked first.
  public var priority: UInt32 = 0
  public var isV4: Bool
  public var action: Action
  public var table: UInt32
  /// nil for every source.
  public var source: IPPrefix?
  /// nil for every destination.
  public var destination: IPPrefix?
  /// The link that the packet came by, by name; `lo` for what is sent from here. nil for every link.
  public var inputLink: String?
  /// True if it also asks for something that is not listed here, such as a mark or a port.
  public var hasFurtherConditions = false

  public init(priority: UInt32 = 0, isV4: Bool, action: Action, table: UInt32) {
    self.priority = priority
    self.isV4 = isV4
    self.action = action
    self.table = table
  }
}

extension NetlinkSocket {
  /// The rules of both families, in the order that they are asked.
  public mutating func routeRules() throws(KernelError) -> [RouteRule] {
    var rules: [RouteRule] = []
    for family in [IPAddress.v4(.any).family, IPAddress.v6(.any).family] {
      rules += try dump("rules of policy routing") { writer in
        writer.begin(type: UInt16(RTM_GETRULE), flags: 0)
        writer.put(family)
        writer.put(UInt8(0))
        writer.put(UInt16(0))
        writer.put(UInt32(0))
        writer.put(UInt32(0))
      } parse: {
        RouteRule($0, $1)
      }
    }
    return rules
  }
}

extension RouteRule {
  /// Reads `struct fib_rule_hdr` and its attributes; nil if it is another message or cut.
  init?(_ header: MessageHeader, _ payload: RawSpan) {
    guard header.type == UInt16(RTM_NEWRULE), let family = payload.integer(UInt8.self),
      let destinationLength = payload.integer(UInt8.self, at: 1), let sourceLength = payload.integer(UInt8.self, at: 2),
      let service = payload.integer(UInt8.self, at: 3), let table = payload.integer(UInt8.self, at: 4),
      let action = payload.integer(UInt8.self, at: 7), let flags = payload.integer(UInt32.self, at: 8),
      family == IPAddress.v4(.any).family || family == IPAddress.v6(.any).family
    else { return nil }
    var rule = RouteRule(
      isV4: family == IPAddress.v4(.any).family, action: Action(rawValue: action), table: UInt32(table))
    // FIB_RULE_INVERT turns the conditions round.
    rule.hasFurtherConditions = service != 0 || flags & 2 != 0
    payload.forEachAttribute(from: 12) { type, value in
      switch type {
      case Int(FRA_DST):
        rule.destination = value.ipAddress.flatMap { IPPrefix(containing: $0, length: Int(destinationLength)) }
      case Int(FRA_SRC): rule.source = value.ipAddress.flatMap { IPPrefix(containing: $0, length: Int(sourceLength)) }
      case Int(FRA_IIFNAME): rule.inputLink = value.text
      case Int(FRA_PRIORITY): rule.priority = value.integer(UInt32.self) ?? 0
      case Int(FRA_TABLE): rule.table = value.integer(UInt32.self) ?? rule.table
      case Int(FRA_PROTOCOL), Int(FRA_SUPPRESS_IFGROUP): break
      // The kernel lists all of its own as unlimited: -1.
      case Int(FRA_SUPPRESS_PREFIXLEN):
        if value.integer(UInt32.self) != .max { rule.hasFurtherConditions = true }
      case Int(FRA_FWMARK), Int(FRA_FWMASK), Int(FRA_TUN_ID):
        if value.integer(UInt32.self) != 0 { rule.hasFurtherConditions = true }
      default: rule.hasFurtherConditions = true
      }
    }
    self = rule
  }
}
