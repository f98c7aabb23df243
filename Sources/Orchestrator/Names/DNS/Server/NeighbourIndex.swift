import Glibc
import Host
import Intent
import Kernel
import Vocabulary

/// The services of other stacks on a stack's networks, as their records say at present.
///
/// Other stacks come and go while this one stays. So it looks again when a name is asked for, once a second at most, and
/// reads only records that have changed.
final class NeighbourIndex {
  private let folder: StackFolder
  private var seen: [String: Stamp] = [:]
  private var lastLook: ContinuousClock.Instant?
  private var members: [String: [Member]] = [:]

  private struct Stamp: Hashable {
    var seconds: Int
    var nanoseconds: Int
    var size: Int
  }

  private struct Member {
    var bridge: String
    var neighbour: StackNeighbour
  }

  init(folder: StackFolder) { self.folder = folder }

  /// The stack with its neighbours of now. Nil if nothing has changed since the last look.
  func refreshed(_ stack: DesiredStack) -> DesiredStack? {
    let now = ContinuousClock.now
    if let lastLook, now - lastLook < .seconds(1) { return nil }
    lastLook = now
    let stamps = stamps
    guard stamps != seen else { return nil }
    for name in seen.keys where stamps[name] == nil { members[name] = nil }
    for (name, stamp) in stamps where seen[name] != stamp { members[name] = read(name, for: stack) }
    seen = stamps
    var changed = stack
    changed.neighbours = neighbours(of: stack)
    return changed.neighbours == stack.neighbours ? nil : changed
  }

  private var stamps: [String: Stamp] {
    var stamps: [String: Stamp] = [:]
    for name in StackIndex(folders: folder.folders).names() where name != folder.name {
      var status = stat()
      guard stat(folder.folders.stack(name).intent, &status) == 0 else { continue }
      stamps[name] = Stamp(
        seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec, size: Int(status.st_size))
    }
    return stamps
  }

  /// The members of another stack on networks that one of the two has from the other, or both from a third.
  private func read(_ name: String, for stack: DesiredStack) -> [Member] {
    guard let other = try? StackRecord(folder.folders.stack(name)).read() else { return [] }
    let bridges = Dictionary(other.networks.map { ($0.name, $0.bridge) }) { first, _ in first }
    let own = Set(stack.networks.map(\.bridge))
    return other.services.flatMap { service in
      service.attachments.flatMap { attachment -> [Member] in
        guard let bridge = bridges[attachment.network], own.contains(bridge) else { return [] }
        return attachment.addresses.map { address in
          Member(
            bridge: bridge,
            neighbour: StackNeighbour(
              network: attachment.network, address: address,
              names: (service.names(on: attachment) + ["\(name)-\(service.service)-\(service.index)"]).uniqued()))
        }
      }
    }
  }

  /// Another stack gives no name that means something in this one. On a network of this stack, a name with a full stop is
  /// also one of the outside.
  private func neighbours(of stack: DesiredStack) -> [StackNeighbour] {
    let own = Set(stack.services.flatMap { service in service.names + service.attachments.flatMap(service.names(on:)) })
    return stack.networks.flatMap { network in
      members.sorted { $0.key < $1.key }.flatMap(\.value).filter { $0.bridge == network.bridge }.compactMap { member in
        let names = member.neighbour.names.filter { name in
          !own.contains(name) && name != "localhost" && (network.owner != nil || !name.contains("."))
        }
        return names.isEmpty
          ? nil : StackNeighbour(network: network.name, address: member.neighbour.address, names: names)
      }
    }
  }
}
