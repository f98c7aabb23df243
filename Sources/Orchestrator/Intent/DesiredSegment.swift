/// A further bridge of a network with more services than one bridge takes (1,023 ports, BR_MAX_PORTS), joined to the
/// network's own by a veth pair. The subnet, the gateway and all that is filtered stay with the network's own.
package struct DesiredSegment: Codable, Hashable, Sendable {
  /// The network's name.
  package var network: String
  /// From 1.
  package var number: Int
  /// Names on the host: the bridge, and the ends of the pair at the network's own bridge and at this one.
  package var bridge: String
  package var nearEnd: String
  package var farEnd: String

  package init(network: String, number: Int, bridge: String, nearEnd: String, farEnd: String) {
    self.network = network
    self.number = number
    self.bridge = bridge
    self.nearEnd = nearEnd
    self.farEnd = farEnd
  }

  /// The number of services on one bridge. The rest of its 1,023 ports joins other bridges.
  package static let capacity = 1000
}
