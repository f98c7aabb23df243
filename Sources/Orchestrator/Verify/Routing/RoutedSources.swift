import Addresses
import Intent

/// The sources that port guards take from services that forward. Each is found when it is first asked for.
final class RoutedSources {
  private struct Port: Hashable {
    var router: String
    var network: String
  }

  private let stack: DesiredStack
  private let routes: RoutedAddresses
  private var known: [Port: [AddressFamily: [AddressRange]]] = [:]

  init(_ stack: DesiredStack) {
    self.stack = stack
    routes = RoutedAddresses(stack)
  }

  /// True if packets of others may come into a network by a router's port there.
  func mayBring(_ router: String, _ source: IPAddress, into network: String) -> Bool {
    guard let service = stack.service(named: router) else { return true }
    let claims = service.attachments.filter { $0.network == network }.compactMap(\.claims)
    guard !claims.contains(where: { $0.bridges || $0.prefixes.contains { $0.contains(source) } }) else { return true }
    let (port, address) = (Port(router: router, network: network), AddressRange(source))
    let ranges = known[port] ?? routes.behind(service, towards: network)
    known[port] = ranges
    return ranges[AddressFamily(source)]?.contains { $0.meets(address) } ?? false
  }
}
