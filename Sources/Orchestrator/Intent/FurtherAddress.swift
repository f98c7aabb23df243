/// An address that a service has on one of its interfaces beside the one that a network or a link gives it.
package struct FurtherAddress: Hashable, Sendable {
  /// The interface's name inside.
  package var interface: String
  /// nil for the loopback.
  package var network: String?
  package var address: DesiredAddress

  /// `10.255.0.1/32 on lo`
  package var text: String { "\(address) on \(interface)" }

  /// The name of every namespace's loopback.
  package static let loopback = "lo"
}

extension DesiredService {
  /// Those of all its networks, and those of its loopback.
  package var furtherAddresses: [FurtherAddress] {
    attachments.flatMap { attachment in
      attachment.furtherAddresses.map {
        FurtherAddress(interface: attachment.interface, network: attachment.network, address: $0)
      }
    } + loopback.map { FurtherAddress(interface: FurtherAddress.loopback, network: nil, address: $0) }
  }
}
