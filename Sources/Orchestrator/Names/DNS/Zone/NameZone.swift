import Addresses
import DNS
import Intent
import Vocabulary

/// The names of one stack and who sees which of them. A value, made of what is desired; who has ended is asked of whoever
/// keeps the services.
///
/// A service is found on each of its networks by its own name, its service's, its container name, its hostname and its
/// aliases there, and by `web1.front.web.stack`: name, network, stack.
struct NameZone: Sendable {
  /// The domain above all stacks. What stands below it is never asked of others.
  static let domain = "stack"
  private static let domainLabel = [UInt8](domain.utf8)
  private static let localhostLabel = [UInt8]("localhost".utf8)

  /// Whoever asks: the service that has the address, or someone else on a network.
  struct Asker: Hashable, Sendable {
    /// The networks that it is on, the one of its default route first.
    var networks: [Int]
    /// True if names outside the stack are looked up for it. A service on internal networks alone has none.
    var looksOutside: Bool
    /// The resolvers for those names; empty for the host's.
    var servers: [IPAddress] = []
  }

  enum Answer: Hashable, Sendable {
    /// The name is there, with these addresses of the family that was asked for: none at all, perhaps.
    case addresses(name: Int)
    /// The name that an address has.
    case pointer(DNSName)
    /// There is no such name, and nobody else is to be asked.
    case unknown
    /// Not a name of this stack.
    case elsewhere
  }

  /// An address under a name.
  private struct Holder: Sendable {
    var network: Int
    var service: Int
    var address: IPAddress
  }

  private struct Place: Sendable {
    var network: Int
    var service: Int
    var name: DNSName
  }

  private struct Network: Sendable {
    var prefixes: [IPPrefix]
    var isInternal: Bool
  }

  private var index = WireNameIndex()
  /// The services that have a name, by the name's number.
  private var holders: [[Holder]] = []
  private var places: [IPAddress: Place] = [:]
  private var askers: [IPAddress: Asker] = [:]
  private var networks: [Network] = []
  /// The number that stands for the whole stack where services of all networks are found; it comes after those of networks.
  private var everywhere: Int?
  /// The number of each service, by its name.
  private(set) var services: [String: Int] = [:]

  /// The number of names. Each name's number is below it.
  var nameCount: Int { index.count }

  init(_ stack: DesiredStack) {
    networks = stack.networks.map { Network(prefixes: $0.subnets, isInternal: $0.isInternal) }
    let numbers = Dictionary(keepingFirst: stack.networks.enumerated().map { ($1.name, $0) })
    for labels in [[Self.domain], [stack.name, Self.domain]]
      + stack.networks.map({ [$0.name, stack.name, Self.domain] })
    {
      if let name = DNSName(labels: labels) { number(of: name) }
    }
    for (number, service) in stack.services.enumerated() {
      services[service.name] = number
      for attachment in service.attachments {
        guard let network = numbers[attachment.network] else { continue }
        add(service, number, attachment, network, stack)
      }
      addAsker(service, numbers)
    }
    for neighbour in stack.neighbours { add(neighbour, numbers) }
    guard stack.namesWholeStack else { return }
    let whole = stack.networks.count
    everywhere = whole
    for (number, service) in stack.services.enumerated() { addEverywhere(service, number, whole, stack) }
  }

  /// Names by which a service is found from networks that it is not on: short ones, and full ones with each of its networks.
  private mutating func addEverywhere(_ service: DesiredService, _ number: Int, _ whole: Int, _ stack: DesiredStack) {
    let numbered = "\(service.service)-\(service.index)"
    let names = (service.names + [numbered]).uniqued().map { $0.split(separator: ".").map(String.init) }
    func hold(_ labels: [String], _ addresses: [IPAddress]) {
      guard let name = DNSName(labels: labels) else { return }
      let place = self.number(of: name)
      holders[place] += addresses.map { Holder(network: whole, service: number, address: $0) }
    }
    for labels in names {
      hold(labels, stack.addressesElsewhere(of: service))
      for attachment in service.attachments {
        hold(labels + [attachment.network, stack.name, Self.domain], attachment.addresses)
      }
    }
  }

  @discardableResult
  private mutating func number(of name: DNSName) -> Int {
    let number = index.insert(name)
    if number == holders.count { holders.append([]) }
    return number
  }

  private mutating func add(
    _ service: DesiredService, _ serviceNumber: Int, _ attachment: DesiredAttachment, _ network: Int,
    _ stack: DesiredStack
  ) {
    let zone = [attachment.network, stack.name, Self.domain]
    let numbered = "\(service.service)-\(service.index)"
    let names = service.names(on: attachment)
    // Compose calls the container of each replica by the last of these.
    for text in (names + [numbered, "\(stack.name)-\(numbered)"]).uniqued() {
      let labels = text.split(separator: ".").map(String.init)
      for name in [DNSName(labels: labels), DNSName(labels: labels + zone)].compactMap(\.self) {
        let name = number(of: name)
        for address in attachment.addresses {
          holders[name].append(Holder(network: network, service: serviceNumber, address: address))
        }
      }
    }
    guard let name = DNSName(labels: [service.name] + zone) else { return }
    for address in attachment.addresses {
      places[address] = Place(network: network, service: serviceNumber, name: name)
    }
  }

  /// A service of another stack, by the names that it has on a network of both.
  private mutating func add(_ neighbour: StackNeighbour, _ numbers: [String: Int]) {
    guard let network = numbers[neighbour.network] else { return }
    for name in neighbour.names.compactMap({ DNSName(labels: $0.split(separator: ".").map(String.init)) }) {
      holders[number(of: name)].append(
        Holder(network: network, service: Self.noService, address: neighbour.address))
    }
  }

  /// The number of a service that is another stack's.
  static let noService = -1

  private mutating func addAsker(_ service: DesiredService, _ numbers: [String: Int]) {
    let ordered = service.attachments.filter(\.isDefaultRoute) + service.attachments.filter { !$0.isDefaultRoute }
    let networks = ordered.compactMap { numbers[$0.network] }
    let asker = Asker(
      networks: networks, looksOutside: networks.contains { !self.networks[$0].isInternal },
      servers: service.nameResolution.servers)
    for address in service.attachments.flatMap(\.neighbourAddresses) { askers[address] = asker }
  }

  // MARK: Answers

  /// The asker at an address of a network; nil for an address that nobody there can have.
  func asker(at address: IPAddress, on network: Int) -> Asker? {
    guard networks.indices.contains(network), networks[network].prefixes.contains(where: { $0.contains(address) })
    else { return nil }
    return askers[address] ?? Asker(networks: [network], looksOutside: !networks[network].isInternal)
  }

  /// Looks up a name for an asker.
  ///
  /// - Parameters:
  ///   - name: plain, with the empty label at its end.
  ///   - found: gets the addresses.
  ///   - isGone: whether a service has ended, by its number.
  func look(
    up name: Octets, type: UInt16, for asker: Asker, into found: inout [IPAddress], isGone: (Int) -> Bool
  ) -> Answer {
    found.removeAll(keepingCapacity: true)
    if let number = index.find(name) {
      if let answer = look(at: number, type, asker, &found, isGone) { return answer }
      // A name of one label belongs to the stack alone; one with dots may be somebody's out there.
      if name.octet(at: 0).map({ Int($0) + 2 == name.count }) ?? true || isBelowDomain(name) { return .unknown }
      return holders[number].contains { asker.networks.contains($0.network) || $0.network == everywhere }
        ? .unknown : outside(asker)
    }
    if lastLabel(of: name, is: Self.localhostLabel) { return localhost(type, &found) }
    if isBelowDomain(name) { return .unknown }
    if type == RecordType.pointer, let address = ReverseName.address(name) {
      if let place = places[address], asker.networks.contains(place.network) || everywhere != nil,
        !isGone(place.service)
      {
        return .pointer(place.name)
      }
      if networks.contains(where: { $0.prefixes.contains { $0.contains(address) } }) { return .unknown }
    }
    return outside(asker)
  }

  /// The answer about names outside the stack. On internal networks there are none: NXDOMAIN and not REFUSED. musl
  /// takes REFUSED for no answer, and waits until its time is up.
  private func outside(_ asker: Asker) -> Answer { asker.looksOutside ? .elsewhere : .unknown }

  /// The first of the asker's networks that has the name says what it means; nil when none has.
  private func look(
    at number: Int, _ type: UInt16, _ asker: Asker, _ found: inout [IPAddress], _ isGone: (Int) -> Bool
  ) -> Answer? {
    let holders = holders[number]
    // A domain that only has names below it.
    guard !holders.isEmpty else { return .addresses(name: number) }
    // Of the whole stack last: a name near by says more.
    for network in asker.networks + [everywhere].compactMap(\.self) {
      var isThere = false
      for holder in holders where holder.network == network && !isGone(holder.service) {
        isThere = true
        if Self.matches(holder.address, type) { found.append(holder.address) }
      }
      if isThere { return .addresses(name: number) }
    }
    return nil
  }

  /// RFC 6761, 6.3.
  private func localhost(_ type: UInt16, _ found: inout [IPAddress]) -> Answer {
    for address in [IPAddress.v4(.loopback), .v6(.loopback)] where Self.matches(address, type) { found.append(address) }
    return .addresses(name: 0)
  }

  private static func matches(_ address: IPAddress, _ type: UInt16) -> Bool {
    switch address {
    case .v4: type == RecordType.a || type == RecordType.any
    case .v6: type == RecordType.aaaa || type == RecordType.any
    }
  }

  private func isBelowDomain(_ name: Octets) -> Bool { lastLabel(of: name, is: Self.domainLabel) }

  private func lastLabel(of name: Octets, is label: [UInt8]) -> Bool {
    let start = name.count - label.count - 2
    guard start >= 0, name[start] == UInt8(label.count) else { return false }
    // A byte that equals the label's length may be part of a longer label. So follow the labels to it.
    var position = 0
    while position < start { position += Int(name[position]) + 1 }
    guard position == start else { return false }
    for index in label.indices where name[start + 1 + index].foldedCase != label[index] { return false }
    return true
  }
}
