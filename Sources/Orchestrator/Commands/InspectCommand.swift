import Host
import Intent
import Kernel
import Vocabulary

/// Prints what is recorded of a stack or a service.
package struct InspectCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// The record of a stack or of a service, as JSON.
  ///
  /// - Parameter name: a stack, a service, or `stack/service`; nil for the only stack.
  package func run(_ name: String?, in stack: String?) throws(StackErrors) -> String {
    if let name, !index.names().contains(name) || name.contains("/") {
      let places = Set(try index.places(of: name, in: stack))
      var inspections: [Inspection] = []
      for stack in Set(places.map(\.stack)) {
        for status in try statuses(of: stack) where places.contains(.init(stack: stack, service: status.name)) {
          inspections.append(Inspection(service: Self.shown(status.service), record: status.record))
        }
      }
      return inspections.count == 1 ? JSONText.plain(inspections.first) : JSONText.plain(inspections)
    }
    let found = try index.stack(named: name ?? stack)
    var desired = try rethrowing(found) { () throws(KernelError) in try index.desired(found) }
    if let services = desired?.services { desired?.services = services.map(Self.shown) }
    let records = try statuses(of: found).map(\.record)
    return JSONText.plain(StackInspection(stack: desired, records: records))
  }

  /// Secrets and configs stay where they are used. What is printed here goes into logs and reports.
  private static func shown(_ service: DesiredService) -> DesiredService {
    var service = service
    for place in service.mounts.indices {
      guard case .contents(let text, let mode, let user, let group) = service.mounts[place].source else { continue }
      service.mounts[place].source = .contents("\(text.utf8.count) bytes", mode: mode, user: user, group: group)
    }
    return service
  }

  private struct Inspection: Encodable {
    var service: DesiredService
    var record: ServiceRecord
  }

  private struct StackInspection: Encodable {
    var stack: DesiredStack?
    var records: [ServiceRecord]
  }
}
