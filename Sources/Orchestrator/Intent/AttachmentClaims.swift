import Addresses
import Vocabulary

/// Addresses that a service's interface may send as besides its own (`claims:` in the file).
package struct AttachmentClaims: Codable, Hashable, Sendable {
  /// Addresses that it may use and say that it has: those of VRRP, or a range that a DHCP server gives from.
  @Sparse package var prefixes: [IPPrefix] = []
  /// Hardware addresses that its frames may have, as those of VRRP.
  @Sparse package var hardware: [MACAddress] = []
  /// True when it asks a DHCP server for an address, before which it has none.
  @Sparse package var asksForAddress = false
  /// True when it forwards frames of others. Then it may send as everybody who is not known to be elsewhere.
  @Sparse package var bridges = false

  package init() {}

  /// The claimed prefixes that are single addresses.
  package var addresses: [IPAddress] { prefixes.filter(\.isSingle).map(\.network) }
  package var ranges: [IPPrefix] { prefixes.filter { !$0.isSingle } }

  /// True when hardware addresses move to and from the port, so that the bridge has to learn.
  package var moves: Bool { bridges || !hardware.isEmpty }

  /// As `up` says it: `10.0.0.100, 00:00:5e:00:01:0a, an address by DHCP`.
  package var text: String {
    (prefixes.map { $0.isSingle ? "\($0.network)" : "\($0)" } + hardware.map(\.description)
      + (asksForAddress ? ["an address by DHCP"] : []) + (bridges ? ["whoever is nobody else of the stack"] : []))
      .joined(separator: ", ")
  }
}

extension DesiredStack {
  /// Addresses that services may send as besides their own: `r1 may also send on network lan as 10.0.0.100 (lab.stack:4)`.
  package var claimsInWords: [String] {
    services.flatMap { service in
      service.attachments.compactMap { attachment in
        attachment.claims.map { claims in
          "\(service.name) may also send on network \(attachment.network) as \(claims.text)"
            + (service.declaredAt.map { " (\($0))" } ?? "")
        }
      }
    }
  }
}

/// All addresses of each service: in networks and VLANs, on links and its loopback, link-local ones, and what its file
/// lets it claim.
package struct ServiceAddresses {
  private let onLinks: [String: [IPAddress]]

  package init(_ stack: DesiredStack) {
    var onLinks: [String: [IPAddress]] = [:]
    for end in stack.links.flatMap(\.ends) { onLinks[end.service, default: []] += end.addresses.map(\.address) }
    self.onLinks = onLinks
  }

  package func all(of service: DesiredService) -> [IPAddress] {
    let links = (onLinks[service.name] ?? []) + service.loopback.map(\.address)
    guard service.attachments.count > 1 || !links.isEmpty else {
      return service.attachments.flatMap { $0.ownAddresses(forwards: service.forwards) }
    }
    return (service.attachments.flatMap { $0.ownAddresses(forwards: service.forwards) } + links).uniqued()
  }

  package func ranges(of service: DesiredService) -> [IPPrefix] {
    service.attachments.flatMap { $0.claims?.ranges ?? [] }
  }
}

extension DesiredAttachment {
  /// The addresses by which its network reaches it. The kernel asks for neighbours from a link-local address on behalf
  /// of others. So services that forward have one, and no others.
  package func ownAddresses(forwards: Bool) -> [IPAddress] {
    everyAddress + (forwards && ipv6 != nil ? [.v6(mac.linkLocalAddress)] : []) + (claims?.addresses ?? [])
  }
}
