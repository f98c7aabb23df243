/// Sides that the services of a stack were cut off from each other into, by hand.
///
/// It holds for the services as they come and go: a further replica stands where its service does.
package struct Partition: Codable, Hashable, Sendable {
  /// Names of services, or of single replicas, for each side.
  package var sides: [[String]]
  /// True if the services that no side names make up a last side.
  package var hasRest: Bool

  package init(sides: [[String]], hasRest: Bool) {
    self.sides = sides
    self.hasRest = hasRest
  }
}

extension Partition: CustomStringConvertible {
  /// `web1,web2 | db`
  package var description: String {
    (sides.map { $0.joined(separator: ",") } + (hasRest ? ["all others"] : [])).joined(separator: " | ")
  }
}

extension DesiredStack {
  /// The instances on each side of the partition, by the names of those whose network namespaces they are in; none without one.
  package var partitionGroups: [[String]] {
    guard let partition else { return [] }
    var groups = partition.sides.map { names in
      services.filter { names.contains($0.name) || names.contains($0.service) }.compactMap(\.namespaceOwnerName)
    }
    if partition.hasRest {
      let placed = Set(groups.joined())
      groups.append(services.compactMap(\.namespaceOwnerName).filter { !placed.contains($0) })
    }
    return groups
  }

  /// True if the partition lies between the ends of a link.
  package func isCut(_ link: DesiredLink) -> Bool {
    let sides = partitionGroups
    let ends = link.ends.map { end in sides.firstIndex { $0.contains(end.service) } }
    return ends.allSatisfy { $0 != nil } && ends[0] != ends[1]
  }
}

extension DesiredService {
  /// The instance in whose network namespace it runs; nil in the host's.
  package var namespaceOwnerName: String? {
    switch namespace {
    case .own: name
    case .service(let owner): owner
    case .host: nil
    }
  }
}
