import Intent
import Vocabulary

extension DesiredStack {
  /// - Throws: why services cannot be cut off from each other like this.
  func check(_ partition: Partition) throws(StackErrors) {
    var errors: [StackError] = []
    var sideOf: [String: Int] = [:]
    for (number, names) in partition.sides.enumerated() {
      for name in names {
        let meant = services.filter { $0.name == name || $0.service == name }
        if meant.isEmpty {
          errors.append(
            StackError(
              self.name, "has no service \(name)", remedy: "it has \(services.map(\.name).joined(separator: ", "))"))
        }
        for service in meant {
          guard let owner = service.namespaceOwnerName else {
            errors.append(StackError(self.name, "\(service.name) cannot be cut off: it has the host's network"))
            continue
          }
          guard let other = sideOf.updateValue(number, forKey: owner), other != number else { continue }
          errors.append(
            StackError(
              self.name,
              owner == service.name
                ? "\(service.name) cannot be on two sides of a partition"
                : "\(service.name) and \(owner) cannot be on two sides of a partition: they share one network"))
        }
      }
    }
    if errors.isEmpty, partition.hasRest, services.allSatisfy({ sideOf[$0.namespaceOwnerName ?? ""] != nil }) {
      errors.append(
        StackError(self.name, "no service is left that these could be cut off from", remedy: "name fewer"))
    }
    errors += uncuttable(sideOf)
    guard errors.isEmpty else { throw StackErrors(errors) }
  }

  /// Frames of macvlan pass from one service to the other without the host.
  private func uncuttable(_ sideOf: [String: Int]) -> [StackError] {
    networks.filter { !$0.hasBridge }.compactMap { network in
      let members = services.filter { service in service.attachments.contains { $0.network == network.name } }
      let sides = Dictionary(grouping: members) { sideOf[$0.name] }
      guard sides.count > 1, sides.contains(where: { $0.key != nil }) else { return nil }
      return StackError(
        name,
        "\(members.map(\.name).joined(separator: " and ")) cannot be cut off from each other: macvlan network"
          + " \(network.name) does not pass through the host",
        remedy: "use driver bridge for what is to be cut")
    }
  }
}
