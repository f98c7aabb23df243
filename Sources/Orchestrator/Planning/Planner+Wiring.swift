import Intent
import Vocabulary

/// Links, and routes of services that stay. Services share them, so they are made before the first service starts.
enum Wiring {
  /// Once all namespaces are there.
  ///
  /// - Parameters:
  ///   - new: services that are made anew.
  ///   - links: links that are new, though their services may not be.
  ///   - rerouted: services that stay and have other routes than before.
  static func steps(
    creating new: [DesiredService], links: Set<DesiredLink> = [], rerouted: Set<String> = [], in stack: DesiredStack
  ) -> [Step] {
    let created = Set(new.map(\.name))
    let broken = stack.links.filter { links.contains($0) || $0.touches(created) }
    let linked = Set(broken.flatMap(\.ends).map(\.service))
    return broken.map { .connect($0, stack) }
      // A link that was lost has taken the routes over it along.
      + stack.services.filter { service in
        !created.contains(service.name) && service.namespace == .own
          && (rerouted.contains(service.name) || linked.contains(service.name) && !service.routes.isEmpty)
      }.map { .setRoutes($0, stack: stack.name) }
  }
}

extension Planner {
  /// Services that share the network of one that is made anew: theirs is gone with it.
  static func addSharers(of stack: DesiredStack, to changes: inout [String: String]) {
    for service in stack.services {
      guard case .service(let owner) = service.namespace, changes[service.name] == nil, changes[owner] != nil else {
        continue
      }
      changes[service.name] = "it shares the network of \(owner)"
    }
  }

  /// Services that stay, with other routes than they have now, or perhaps have now.
  static func rerouted(
    from old: DesiredStack, to new: DesiredStack, except created: Set<String>, isSettled: Bool
  ) -> Set<String> {
    let befores = Dictionary(keepingFirst: old.services.map { ($0.name, $0.routes) })
    return Set(
      new.services.filter { service in
        guard !created.contains(service.name), let before = befores[service.name] else { return false }
        return before != service.routes || !isSettled && !service.routes.isEmpty
      }.map(\.name))
  }
}
