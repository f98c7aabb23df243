import Addresses
import DNS
import Intent
import Kernel
import Loop

/// Answers the services of one stack: by itself for names of the stack, with what resolvers say for all others.
///
/// It listens on the gateway's address of each network, UDP and TCP port 53, and answers only addresses of that
/// network. So nobody outside can ask, and nobody gets answers that he has not asked for. It lives on the loop's
/// thread, and does nothing as long as nobody asks.
final class NameServer {
  let loop: EventLoop
  let forwarder: Forwarder
  private var resolvers: HostResolvers
  private var stack: DesiredStack?
  /// Nil where nobody else is to be known.
  private let others: NeighbourIndex?
  private var endpoints: [IPAddress: NameEndpoint] = [:]
  /// Made with the first question: a stack that comes up does not wait for it.
  private var zone: NameZone?
  /// Services that have ended.
  private var gone: Set<String> = []
  /// The same by number, for the zone.
  private var isGone: [Bool] = []
  /// The number of questions for each name: replicas take turns in coming first.
  private var turns: [UInt32] = []
  private var found: [IPAddress] = []

  /// Seconds that an answer may be kept: none, since a service may stop at any moment.
  private static let timeToLive: UInt32 = 0

  init(loop: EventLoop, resolvers: HostResolvers = HostResolvers(), others: NeighbourIndex? = nil) {
    self.loop = loop
    self.others = others
    self.resolvers = resolvers
    forwarder = Forwarder(loop: loop)
  }

  /// Serves the networks of a stack from now on, and no others. The sockets of networks that stay stay open.
  ///
  /// The host need not have the addresses yet.
  ///
  /// - Returns: why some networks have nobody to answer.
  func serve(_ stack: DesiredStack) -> [KernelError] {
    define(stack)
    var former = endpoints
    endpoints = [:]
    var failures: [KernelError] = []
    let askers = stack.services.flatMap(\.attachments).reduce(into: [:]) { $0[$1.network, default: 0] += 1 }
    // Another stack's network is answered on by that stack, a link of the host by nobody of ours.
    for (number, network) in stack.networks.enumerated() where network.owner == nil {
      for gateway in network.hostAddresses {
        do throws(KernelError) {
          let kept = former.removeValue(forKey: gateway)
          let endpoint =
            if let kept { kept } else {
              try NameEndpoint(at: gateway, askers: askers[network.name] ?? 0, server: self)
            }
          endpoint.network = number
          endpoints[gateway] = endpoint
        } catch {
          failures.append(error)
        }
      }
    }
    for endpoint in former.values { endpoint.close() }
    return failures
  }

  /// Answers for a stack, to whoever is asking.
  func define(_ stack: DesiredStack) {
    self.stack = stack
    zone = nil
  }

  /// Says whether a service has ended: its names lead nowhere until it is started again.
  func setGone(_ service: String, _ hasEnded: Bool) {
    if hasEnded { gone.insert(service) } else { gone.remove(service) }
    if let number = zone?.services[service] { isGone[number] = hasEnded }
  }

  func close() {
    for endpoint in endpoints.values { endpoint.close() }
    endpoints = [:]
    forwarder.close()
  }

  // MARK: Answers

  private func currentZone() -> NameZone? {
    if let zone { return zone }
    guard let stack else { return nil }
    let made = NameZone(stack)
    isGone = Array(repeating: false, count: stack.services.count)
    for service in gone {
      if let number = made.services[service] { isGone[number] = true }
    }
    turns = Array(repeating: 0, count: 2 * made.nameCount)
    zone = made
    return made
  }

  /// Takes in what has become of other stacks on the same networks.
  private func meetOthers() {
    guard let others, let stack, let changed = others.refreshed(stack) else { return }
    define(changed)
  }

  /// The asker at an address of a network; nil for one that gets no answer.
  func asker(at address: IPAddress, on network: Int) -> NameZone.Asker? {
    meetOthers()
    return currentZone()?.asker(at: address, on: network)
  }

  /// Writes the answer to a message.
  ///
  /// - Parameters:
  ///   - limit: how long the answer may be; nil for as long as the client says, over UDP.
  ///   - later: called with an answer that has to be asked of others, when that is known.
  /// - Returns: where the answer stands in what `writer` has written; nil when there is none, or none yet.
  func answer(
    _ message: Octets, from asker: NameZone.Asker, limit: Int?, writer: inout DNSWriter,
    later: (ForwardedQuestion, DNSQuery) -> Void
  ) -> Range<Int>? {
    let query: DNSQuery
    do throws(DNSFault) {
      query = try DNSQuery(message)
    } catch {
      guard case .refused(let id, let flags, let code) = error else { return nil }
      writer.refuse(id: id, flags: flags, code: code)
      return writer.finish()
    }
    let limit = limit ?? query.datagramLimit
    func begin(_ code: ResponseCode, isAuthoritative: Bool = false) {
      writer.begin(answerTo: query, in: message, code: code, isAuthoritative: isAuthoritative, limit: limit)
    }
    if let version = query.extensions?.version, version > 0 {
      begin(.badVersion)
      return writer.finish()
    }
    guard query.class == RecordClass.internet, let zone = currentZone() else {
      begin(.refused)
      return writer.finish()
    }
    let name = message.extracting(MessageLimit.header..<query.nameEnd)
    switch zone.look(
      up: name, type: query.type, for: asker, into: &found, isGone: { $0 != NameZone.noService && isGone[$0] })
    {
    case .addresses(let number):
      begin(.noError, isAuthoritative: true)
      addFound(of: number, query.type, to: &writer)
    case .pointer(let target):
      begin(.noError, isAuthoritative: true)
      writer.add(pointerTo: target, timeToLive: Self.timeToLive)
    case .unknown:
      begin(.nameError, isAuthoritative: true)
    case .elsewhere:
      let servers = servers(for: asker)
      later(ForwardedQuestion(query, in: message, wantsWhole: limit > MessageLimit.datagram, servers: servers), query)
      return nil
    }
    return writer.finish()
  }

  /// Each time another of a service's replicas comes first.
  private func addFound(of name: Int, _ type: UInt16, to writer: inout DNSWriter) {
    guard !found.isEmpty else { return }
    var first = 0
    if found.count > 1 {
      let slot = 2 * name + (type == RecordType.aaaa ? 1 : 0)
      first = Int(turns[slot]) % found.count
      turns[slot] &+= 1
    }
    for index in found.indices {
      let place = first + index
      writer.add(found[place < found.count ? place : place - found.count], timeToLive: Self.timeToLive)
    }
  }

  /// The resolvers for an asker. This server is never among them.
  private func servers(for asker: NameZone.Asker) -> [IPAddress] {
    let servers = asker.servers.isEmpty ? resolvers.current() : asker.servers
    return servers.filter { endpoints[$0] == nil }
  }
}
