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

  public var ends: [End] { [first, second] }

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
