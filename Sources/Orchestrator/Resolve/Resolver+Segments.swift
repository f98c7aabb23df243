import Intent
import StackFiles

extension Resolver {
  /// The bridge of its network that each attachment is on: the one it is on now, else the first with room.
  struct Places {
    private var counts: [String: [Int]] = [:]

    /// - Parameter kept: the bridges of those that stay where they are.
    init(kept: [String: [Int]]) {
      for (network, numbers) in kept {
        for number in numbers { add(number, on: network) }
      }
    }

    private mutating func add(_ number: Int, on network: String) {
      var counts = counts[network] ?? []
      while counts.count <= number { counts.append(0) }
      counts[number] += 1
      self.counts[network] = counts
    }

    mutating func next(on network: String) -> Int {
      let counts = counts[network] ?? []
      let number = counts.firstIndex { $0 < DesiredSegment.capacity } ?? counts.count
      add(number, on: network)
      return number
    }
  }

  /// The bridges of attachments that there are already, each as often as it has ports.
  func keptSegments(_ names: [String]) -> [String: [Int]] {
    var kept: [String: [Int]] = [:]
    for attachment in names.compactMap({ previousServices[$0] }).flatMap(\.attachments) {
      kept[attachment.network, default: []].append(attachment.segment ?? 0)
    }
    return kept
  }

  /// Nil for the network's own bridge. Another stack's bridge is only ever joined itself.
  func segment(
    of instance: String, _ membership: StackFile.VLANMembership?, on network: DesiredNetwork,
    _ addresses: inout Addresses
  ) -> Int? {
    guard network.owner == nil, network.hasBridge else { return nil }
    // A VLAN with a bridge of its own has just that one.
    if case .access(let id) = membership, network.bridge(ofVLAN: UInt16(id.value)) != nil { return nil }
    if let before = previousServices[instance]?.attachments.first(where: { $0.network == network.name }) {
      return before.segment
    }
    let number = addresses.places.next(on: network.name)
    return number == 0 ? nil : number
  }

  /// The further bridges that the attachments of a stack are on.
  mutating func segments(_ networks: [DesiredNetwork], _ services: [DesiredService]) -> [DesiredSegment] {
    var numbers: [String: Int] = [:]
    for attachment in services.flatMap(\.attachments) {
      if let segment = attachment.segment {
        numbers[attachment.network] = max(numbers[attachment.network] ?? 0, segment)
      }
    }
    guard !numbers.isEmpty else { return [] }
    let stack = stackName
    return networks.flatMap { network in
      (1..<(numbers[network.name] ?? 0) + 1).map { number in
        let before = previous?.segments.first { $0.network == network.name && $0.number == number }
        func name(_ part: String, _ before: String?) -> String {
          linkName(before: before) {
            LinkName.segment(stack: stack, network: network.name, number, part, attempt: $0)
          }
        }
        return DesiredSegment(
          network: network.name, number: number, bridge: name("b", before?.bridge), nearEnd: name("n", before?.nearEnd),
          farEnd: name("f", before?.farEnd))
      }
    }
  }
}
