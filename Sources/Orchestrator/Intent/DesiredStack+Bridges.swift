extension DesiredStack {
  /// The further bridge that an attachment's veth is a port of; nil for the network's own.
  package func segment(of attachment: DesiredAttachment) -> DesiredSegment? {
    attachment.segment.flatMap { number in
      segments.first { $0.network == attachment.network && $0.number == number }
    }
  }

  /// The bridge that a veth pair of an attachment is a port of.
  package func bridge(of pair: AttachmentPair, of attachment: DesiredAttachment, in network: DesiredNetwork) -> String {
    network.bridge(ofVLAN: pair.vlan) ?? segment(of: attachment)?.bridge ?? network.bridge
  }

  /// All bridges that its frames pass.
  package var bridges: [String] { networks.flatMap(\.bridges) + segments.map(\.bridge) }

  /// The names of its links on the host.
  package var hostLinks: Set<String> {
    Set(ownNetworks.flatMap(\.bridges)).union(ownNetworks.compactMap(\.tunnel?.link))
      .union(segments.flatMap { [$0.bridge, $0.nearEnd, $0.farEnd] })
      .union(services.flatMap(\.attachments).flatMap(\.pairs).map(\.link))
  }
}
