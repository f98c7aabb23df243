import Addresses
import Intent

/// Networks that are too large for all services to know each other from the start.
///
/// If all ask all, each question costs a broadcast to the whole network, and a place in the one table that the kernel has
/// for all namespaces. So services are told whom they ask while they are asked.
struct LargeNetworks: Sendable {
  /// An address on a network, as a service there has to know it.
  struct Introduction: Sendable {
    var interface: String
    var address: IPAddress
    var mac: MACAddress
  }

  private struct Member {
    var place: String
    var network: String
    var interface: String
    var mac: MACAddress
    var addresses: [IPAddress]
  }

  private var members: [IPAddress: Member] = [:]
  private var own: [String: [Member]] = [:]

  init(of stack: DesiredStack) {
    let sizes = stack.services.flatMap(\.attachments).reduce(into: [:]) { $0[$1.network, default: 0] += 1 }
    for service in stack.services where service.namespace == .own {
      for attachment in service.attachments
      where attachment.parent == nil && attachment.accessVLAN == nil && attachment.hasFixedPlace
        && sizes[attachment.network, default: 0] > DesiredStack.mostAcquainted
      {
        let member = Member(
          place: service.name, network: attachment.network, interface: attachment.interface, mac: attachment.mac,
          addresses: attachment.addresses)
        for address in member.addresses { members[address] = member }
        own[member.place, default: []].append(member)
      }
    }
  }

  var isEmpty: Bool { members.isEmpty }

  /// Whom the asker and the asked have to know, by the place.
  func introductions(for questions: some Sequence<ReachQuestion>) -> [String: [Introduction]] {
    var introductions: [String: [Introduction]] = [:]
    for question in questions {
      guard let asked = members[question.destination], question.arrival?.place == asked.place,
        let asker = own[question.source]?.first(where: { $0.network == asked.network }),
        let source = asker.addresses.first(where: { $0.isV4 == question.destination.isV4 })
      else { continue }
      introductions[asker.place, default: []].append(
        Introduction(interface: asker.interface, address: question.destination, mac: asked.mac))
      introductions[asked.place, default: []].append(
        Introduction(interface: asked.interface, address: source, mac: asker.mac))
    }
    return introductions
  }
}
