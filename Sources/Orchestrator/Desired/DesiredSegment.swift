/// A further bridge of a network with more services than one bridge takes (1,023 ports, BR_MAX_PORTS), joined to the
/// network's own by a veth pair. The subnet, the gateway and all that is filtered stay with the network's own.
public struct DesiredSegment: Codable, Hashable, Sendable {
  /// The network's name.
  public var network: String
  /// From 1.
  public var number: Int
  /// Names on the host: the bridge, and the ends of the pair at the network's own bridge and at this one.
  public var bridge: String
  public var nearEnd: String
  public var farEnd: String

  /// How many services are on one bridge. What is left of the 1,023 ports joins other bridges.
  static let capacity = 1000
}
