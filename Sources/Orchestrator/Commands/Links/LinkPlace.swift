import Intent

/// A service's links, or one of them: `web1:front`, `web/web1:front`, `web1`.
package struct LinkPlace: Hashable, Sendable {
  package var stack: String
  var service: String
  /// nil for all of the service's.
  var network: String?
}

extension LinkPlace {
  /// True if it is about a service's attachment: by its network or its interface.
  func means(_ attachment: DesiredAttachment) -> Bool {
    network == nil || network == attachment.network || network == attachment.interface
  }

  /// True if it is about a link between two services, seen from the first: by the other service, or by the interface.
  func means(_ link: DesiredLink) -> Bool {
    network == nil || network == link.second.service || network == link.first.interface || network == link.distinctName
  }
}

extension DesiredLink {
  /// The link as its first end names it where several links lead to the same service: `r2.eth1`.
  var distinctName: String { "\(second.service).\(first.interface)" }
}

extension DesiredStack {
  /// A service's links to others, each seen from it.
  func cables(of service: String) -> [DesiredLink] {
    links.flatMap { [$0, $0.reversed] }.filter { $0.first.service == service }
  }
}
