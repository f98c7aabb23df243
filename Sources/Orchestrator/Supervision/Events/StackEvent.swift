import Host
import Intent

/// Something that happened to a service, as `stack events` tells it. Field names and actions are Compose's, where it has them.
package struct StackEvent: Codable, Hashable, Sendable {
  enum Action: String, Codable, Sendable {
    /// Its command was executed.
    case start
    /// It listens on its ports, or has been executed and declares none.
    case ready
    /// It has ended by itself.
    case die
    /// It has ended since somebody wanted it to.
    case stop
    /// The result of its health check has changed.
    case health = "health_status"
  }

  var type = "service"
  package var project: String
  package var service: String
  var action: Action
  /// `exitCode`, `health`, `restarts`.
  var attributes: [String: String] = [:]
}

extension StackEvent: CustomStringConvertible {
  /// `web/web1 die (exitCode=137)`
  package var description: String {
    let details = attributes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
    return "\(project)/\(service) \(action.rawValue)" + (details.isEmpty ? "" : " (\(details))")
  }
}

extension StackEvent {
  /// The events between two records of a service.
  static func between(_ before: ServiceRecord?, _ after: ServiceRecord, in stack: String) -> [StackEvent] {
    var events: [StackEvent] = []
    func add(_ action: Action, _ attributes: [String: String] = [:]) {
      events.append(StackEvent(project: stack, service: after.service, action: action, attributes: attributes))
    }
    let hasStarted = after.startedAt != nil && after.startedAt != before?.startedAt && after.phase.isAlive
    if hasStarted { add(.start, after.restarts > 0 ? ["restarts": "\(after.restarts)"] : [:]) }
    if after.phase == .running, hasStarted || before?.phase != .running { add(.ready) }
    if let health = after.healthStatus, health != before?.healthStatus, health != .starting {
      add(.health, ["health": health.rawValue])
    }
    if !after.phase.isAlive, before?.phase.isAlive ?? false {
      add(after.isStoppedByHand ? .stop : .die, after.exitCode.map { ["exitCode": "\($0)"] } ?? [:])
    }
    return events
  }
}
