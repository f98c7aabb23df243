@testable import Addresses
@testable import Intent
@testable import Resolve
@testable import StackFiles
@testable import Vocabulary

/// Resolves a stack file on a host, as `up` does. The file must be free of errors.
///
/// - Throws: ``StackErrors`` with all obstacles.
func resolve(
  _ text: String, on facts: HostFacts = HostFacts(pools: AddressAllocator.defaultPools), previous: DesiredStack? = nil,
  profiles: [String] = []
) throws -> DesiredStack {
  guard let file = load(text).stack else { throw StackErrors([StackError("web.stack", diagnose(text))]) }
  return try Resolver.resolve(
    file, services: file.activeServices(profiles: profiles).services, facts: facts, previous: previous,
    folder: StateFolders().stack(file.name.value))
}

/// The errors of a stack that cannot be had on a host; none when it can.
func obstacles(_ text: String, on facts: HostFacts, previous: DesiredStack? = nil) -> [StackError] {
  do {
    _ = try resolve(text, on: facts, previous: previous)
    return []
  } catch let errors as StackErrors {
    return errors.errors
  } catch {
    return []
  }
}

extension HostFacts {
  static func using(_ ranges: [String] = [], pool: String = "10.208.0.0/12") -> HostFacts {
    var facts = HostFacts(pools: [IPv4Prefix(pool) ?? .everything])
    facts.ranges = ranges.compactMap { text in
      IPPrefix(text).map { UsedRange(prefix: $0, user: "a route of the host over eth0") }
    }
    return facts
  }

  func with(port: UInt16, at address: String? = nil, _ transport: TransportProtocol = .tcp, of user: PortUser)
    -> HostFacts
  {
    var facts = self
    facts.ports.append(
      UsedPort(address: address.flatMap(IPAddress.init), port: port, transport: transport, user: user))
    return facts
  }
}

extension DesiredStack {
  /// `web1: 10.208.0.2 eth0, …` for each service.
  var places: [String: [String]] {
    Dictionary(services.map { ($0.name, $0.attachments.map { "\($0.network) \($0.address)" }) }) { first, _ in first }
  }

  func hostPorts(of service: String) -> [UInt16] {
    self.service(named: service)?.ports.map(\.hostPort) ?? []
  }
}
