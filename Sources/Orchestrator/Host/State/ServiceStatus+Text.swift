import Glibc
import Intent
import Vocabulary

extension StackIndex.ServiceStatus {
  /// The state in words that cannot be taken for one another: a number of restarts is no exit code.
  package var state: String {
    let health = record.healthStatus.map { $0 == .starting ? ["health unknown yet"] : [$0.rawValue] } ?? []
    let memory = record.ranOutOfMemory == true ? ["out of memory"] : []
    let restarts = record.restarts
    switch record.phase {
    case .exited:
      let code = record.exitCode.map { "exited with \($0)" } ?? "exited"
      return ([code] + memory + (sinceEnd.map { ["\($0) ago"] } ?? [])).joined(separator: ", ")
    case .restarting:
      let code = record.exitCode.map { ["exited with \($0)"] } ?? []
      return (["restarting"] + code + memory + [Self.times("restarted", restarts)]).joined(separator: ", ")
    case .created: return "created"
    case .starting, .running:
      let age = age.map { " \($0)" } ?? ""
      return (["\(phase)\(age)"] + health + (restarts > 0 ? [Self.times("restarted", restarts)] : []))
        .joined(separator: ", ")
    }
  }

  private static func times(_ verb: String, _ count: Int) -> String {
    count == 1 ? "\(verb) once" : "\(verb) \(count) times"
  }

  /// The time since its start, such as `5m`; nil for one that does not run.
  package var age: String? { isAlive ? record.startedAt.map { AgeText.short(since: $0) } : nil }

  private var sinceEnd: String? { record.finishedAt.map { AgeText.short(since: $0) } }
}

/// An age as a number of its largest unit: `12s`, `5m`, `3h`, `2d`.
package enum AgeText {
  /// - Parameter moment: seconds since 1970.
  package static func short(since moment: Double, now: Double = Double(time(nil))) -> String {
    let seconds = Int(max(0, now - moment))
    switch seconds {
    case ..<120: return "\(seconds)s"
    case ..<7200: return "\(seconds / 60)m"
    case ..<172_800: return "\(seconds / 3600)h"
    default: return "\(seconds / 86400)d"
    }
  }
}
