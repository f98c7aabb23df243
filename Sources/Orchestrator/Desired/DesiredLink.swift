public import Netlink

/// A cable between two services: a veth pair with an end in the namespace of each, and nothing on the host.
public struct DesiredLink: Codable, Hashable, Sendable {
  public struct End: Codable, Hashable, Sendable {
    /// The instance's name.
    public var service: String
    /// The interface's name inside.
    public var interface: String
    public var mac: MACAddress
    public var addresses: [DesiredAddress]
    /// What befalls packets that this end sends; nil for nothing.
    public var condition: LinkCondition?
  }
  public var first: End
  public var second: End
  public var mtu: UInt32?
  public var declaredAt: SourceLine?
  /// What was changed by hand while it was up, seen from the first end; nil for nothing.
  public var override: LinkOverride?

  public var ends: [End] { [first, second] }

  /// What both ends bear, by which they are found: `stack:web/r1:eth1/r2:eth1`.
  func alias(in stack: String) -> String {
    LinkName.alias(stack: stack, "\(first.service):\(first.interface)", "\(second.service):\(second.interface)")
  }

  /// What holds, seen from the first end: what was changed by hand, else what the file says.
  public var currentConditions: LinkConditions { conditions.changed(by: override?.current) }

  public var isSetDown: Bool { override?.current.isDown ?? false }

  /// As the file says, seen from the first end.
  var conditions: LinkConditions {
    var conditions = LinkConditions()
    conditions.egress = first.condition ?? LinkCondition()
    conditions.ingress = second.condition ?? LinkCondition()
    return conditions
  }

  /// The link without what can change while its services run.
  var unshaped: DesiredLink {
    var bare = self
    (bare.first.condition, bare.second.condition, bare.override) = (nil, nil, nil)
    return bare
  }

  /// The same link, seen from its other end.
  var reversed: DesiredLink {
    var other = self
    (other.first, other.second, other.override) = (second, first, override?.reversed)
    return other
  }

  /// `r1 and r2`
  var services: String { "\(first.service) and \(second.service)" }

  func touches(_ services: Set<String>) -> Bool { ends.contains { services.contains($0.service) } }
}

/// An address of an interface, in the network that its length gives.
public struct DesiredAddress: Codable, Hashable, Sendable, CustomStringConvertible {
  public var address: IPAddress
  public var length: Int

  public var network: IPPrefix? { IPPrefix(containing: address, length: length) }
  public var description: String { "\(address)/\(length)" }
}

/// Where packets of a service to some addresses go.
public struct DesiredRoute: Codable, Hashable, Sendable {
  public var destination: IPPrefix
  /// The router's address; nil where packets are dropped without a word.
  public var gateway: IPAddress?
  public var declaredAt: SourceLine?

  /// `10.2.0.0/24 via 10.1.0.2`
  var text: String { gateway.map { "\(destination) via \($0)" } ?? "blackhole \(destination)" }
}

/// Whose network namespace a service runs in.
public enum NamespaceOwner: Usual, Sendable {
  case own
  case host
  /// That of another instance, by its name.
  case service(String)

  public init() { self = .own }
}
