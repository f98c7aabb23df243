import Glibc
import Host
import Intent
import Kernel
import Planning
import Supervision
import Vocabulary

/// The services of an operation with their states, as lines for a terminal.
struct ProgressBoard {
  /// Plain lines for so many services; above that, one for each ten.
  static let mostPlainLines = 50

  private struct Row {
    var state: String
    var since: Int
    var isDone = false
  }

  private let stack: String
  private let index: StackIndex
  private var rows: [String: Row] = [:]
  private var order: [String] = []
  private var doneLines = 0

  init(stack: String, folders: StateFolders) {
    self.stack = stack
    index = StackIndex(folders: folders)
  }

  mutating func take(_ event: OperationEvent) {
    for change in event.changes { set(change.service, change.text) }
    guard let service = event.service, event.kind == .service || event.kind == .progress else { return }
    set(service, event.text)
    if event.text == "ready" || event.text == "started" { rows[service]?.isDone = true }
  }

  private mutating func set(_ service: String, _ state: String) {
    if rows[service] == nil { order.append(service) }
    let since = rows[service]?.state == state ? rows[service]?.since : nil
    rows[service] = Row(state: state, since: since ?? time(nil))
  }

  /// A plain line for an event; nil where there are so many services that most are left out.
  mutating func plainLine(_ event: OperationEvent) -> String? {
    guard let service = event.service else { return nil }
    guard order.count > Self.mostPlainLines else { return "\(stack)/\(service): \(event.text)" }
    guard ["ready", "started", "stopping"].contains(event.text) else {
      return event.text.hasPrefix("pull") ? "\(stack)/\(service): \(event.text)" : nil
    }
    doneLines += 1
    guard doneLines % 10 == 0 || doneLines == order.count else { return nil }
    return "\(stack): \(doneLines) of \(order.count) services \(event.text)"
  }

  /// As many lines as there is room for. What is not done comes first where there are more.
  func lines(room: Int, width: Int, isColoured: Bool) -> [String] {
    let done = order.count { rows[$0]?.isDone == true }
    let heading = "\(stack): \(done) of \(order.count) ready"
    var shown = order
    if order.count + 1 > room { shown = order.filter { rows[$0]?.isDone != true } }
    let cut = shown.count + 1 > room ? Array(shown.prefix(max(room - 2, 0))) : shown
    let nameWidth = min(cut.map(\.count).max() ?? 0, width / 2)
    var lines = [heading] + cut.map { line($0, nameWidth, width, isColoured) }
    if cut.count < shown.count, lines.count < room { lines.append("  and \(shown.count - cut.count) more") }
    return lines.map { String($0) }.enumerated().map { $0.offset == 0 ? String($0.element.prefix(width)) : $0.element }
  }

  private func line(_ service: String, _ nameWidth: Int, _ width: Int, _ isColoured: Bool) -> String {
    guard let row = rows[service] else { return service }
    let name = service.prefix(nameWidth)
    let seconds = Int(time(nil)) - row.since
    let state = row.isDone ? row.state : waiting(service) ?? row.state
    let time = row.isDone || seconds < 1 ? "" : " \(seconds)s"
    let text = VisibleText.line("  \(name)\(String(repeating: " ", count: nameWidth - name.count))  \(state)\(time)")
    let cut = text.count > width ? text.prefix(width - 1) + "\u{2026}" : text[...]
    return isColoured && row.isDone ? "\u{1B}[32m\(cut)\u{1B}[0m" : String(cut)
  }

  /// What a service that is not ready waits for, from what its supervisor has written down.
  private func waiting(_ service: String) -> String? {
    guard let record = try? index.record(of: service, in: stack) else { return nil }
    switch record.phase {
    case .created:
      guard let desired = (try? index.desired(stack)) ?? nil, let own = desired.service(named: service) else {
        return nil
      }
      return dependency(of: own, in: desired)
    case .starting, .running:
      guard record.healthStatus == .starting else { return record.phase == .starting ? "starting" : nil }
      return health(service, record)
    case .restarting, .exited: return nil
    }
  }

  /// `waits for db: health check 3 of 10, exit 1`
  private func dependency(of service: DesiredService, in desired: DesiredStack) -> String? {
    for dependency in service.dependencies {
      for other in desired.services where other.service == dependency.service {
        guard let record = try? index.record(of: other.name, in: stack) else { continue }
        switch dependency.condition {
        case .started where !record.phase.isAlive && record.phase != .exited:
          return "waits for \(other.name) to start"
        case .healthy where record.healthStatus != .healthy:
          return "waits for \(other.name): \(health(other.name, record) ?? "\(record.phase)")"
        case .completed where record.phase != .exited: return "waits for \(other.name) to end"
        default: continue
        }
      }
    }
    return nil
  }

  private func health(_ service: String, _ record: ServiceRecord) -> String? {
    guard let health = record.health else { return nil }
    let check = ((try? index.desired(stack)) ?? nil)?.service(named: service)?.healthCheck
    guard let last = health.results.last, let startedAt = record.startedAt, last.startedAt >= startedAt else {
      return "health check not run yet"
    }
    let limit = check.map { " of \($0.retries)" } ?? ""
    return "health check \(max(health.failures, 1))\(limit), exit \(last.exitCode)"
  }
}
