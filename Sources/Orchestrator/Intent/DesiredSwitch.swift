import Addresses
import Vocabulary

/// The bridge in a service that joins its cables.
package struct DesiredSwitch: Codable, Hashable, Sendable {
  /// Its name inside.
  package var interface: String
  /// True if it blocks ports so that frames have one way to everywhere (IEEE 802.1D).
  package var usesSpanningTree = false

  package init(interface: String, usesSpanningTree: Bool = false) {
    (self.interface, self.usesSpanningTree) = (interface, usesSpanningTree)
  }

  /// Its hardware address. With none of its own, it takes that of a port, and changes it as cables come and go.
  package func mac(of service: String, in stack: String) -> MACAddress {
    MACAddress(bits: 0x0200_0000_0000 | StableHash("switch", stack, service).value & 0xFF_FFFF_FFFF)
  }

  /// The least that 802.1D allows, in hundredths of a second: a port passes frames on after twice that time.
  package static let forwardDelay: UInt32 = 200
}
