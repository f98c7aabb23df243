import Intent
import Kernel
import Planning
import Vocabulary

/// A plan as a script for bash(1), which a person could have typed: `stack up --dry-run FILE`.
///
/// With the word `network` it ends before the first service starts. The starts come last, each in the background, and each after
/// what it depends on; then the ports that services say they listen on are waited for.
package struct PlanScript {
  private let plan: Plan
  private let folders: StateFolders
  private let hostResolver: String?
  private let hasIPv6: Bool

  /// - Parameters:
  ///   - hostResolver: the text of the host's /etc/resolv.conf; nil to read it.
  ///   - hasIPv6: whether this kernel has IPv6. Without, ip(8) is refused a word about link-local addresses.
  package init(
    _ plan: Plan, folders: StateFolders, hostResolver: String? = nil,
    hasIPv6: Bool = Files.exists("/proc/sys/net/ipv6")
  ) {
    (self.plan, self.folders, self.hostResolver, self.hasIPv6) = (plan, folders, hostResolver, hasIPv6)
  }

  package var text: String {
    let body = self.body
    let functions = ScriptFunction.all(usedBy: body)
    var lines = Self.head
    lines += plan.reasons.map { Shell.comment("\($0.service): \($0.text)") }
    lines += ["set -e", "umask 022"]
    lines += ScriptFunction.variables(usedBy: body + functions)
    lines += functions + body
    return lines.map { "\($0)\n" }.joined()
  }

  private static let head = [
    "#!/bin/bash",
    "# Run it as root: bash -e plan.sh, or bash -e plan.sh network for all but the services themselves.",
    "# It takes bash, iproute2, nftables and util-linux, as Debian 12 has them.",
    "# Nobody supervises what it starts: no logs, restarts, health checks, nor names but those in /etc/hosts.",
  ]

  private var body: [String] {
    let starts = plan.stages.flatMap(\.starts)
    let others = plan.stages.flatMap(\.steps).filter { !$0.isOfStarting }
    var lines = others.flatMap(block)
    guard !starts.isEmpty else { return lines }
    lines += ["", "[[ ${1-} != network ]] || exit 0"] + notes
    for lane in starts {
      for (number, step) in lane.steps.enumerated() {
        let block = block(step)
        lines += number == 0 ? block.prefix(2) + gates(lane) + block.dropFirst(2) : block
      }
    }
    return lines + plan.stages.flatMap(\.steps).filter(\.isReadiness).flatMap(block)
  }

  /// Parts of services that no tool of Debian 12 can do, each with the service's name.
  private var notes: [String] {
    var names: [String: [String]] = [:]
    var notes: [String] = []
    for step in plan.steps {
      guard case .start(let service, let stack) = step else { continue }
      for note in ServiceScript(service, folders.stack(stack)).notes {
        if names[note] == nil { notes.append(note) }
        names[note, default: []].append(service.name)
      }
    }
    guard !notes.isEmpty else { return [] }
    return ["", "# What stack does and the tools of Debian 12 do not:"]
      + notes.map { Shell.comment("- \($0) (\(names[$0, default: []].joined(separator: ", ")))") }
  }

  private func block(_ step: Step) -> [String] {
    let commands = step.commands(folders: folders, hostResolver: hostResolver)
    return ["", Shell.comment(step.description)]
      + (hasIPv6 ? commands : commands.map { $0.replacing(" \(Step.noLinkLocal)", with: "") })
  }

  private func gates(_ lane: Plan.Lane) -> [String] {
    lane.waitsFor.flatMap { gate -> [String] in
      guard case .condition(let instance, let condition, let isRequired) = gate else { return [] }
      switch condition {
      // It stands above.
      case .started: return []
      case .healthy: return [Shell.comment("stack waits here until \(instance) is healthy")]
      case .completed:
        let word = Shell.quoted(instance)
        // One that was not started here has ended before.
        return ["[[ -z ${pids[\(word)]-} ]] || wait \"${pids[\(word)]}\"\(isRequired ? "" : " || true")"]
      }
    }
  }
}

extension Plan.Stage {
  /// Lanes with what of them is the start of a service.
  fileprivate var starts: [Plan.Lane] {
    guard case .lanes(let lanes) = self else { return [] }
    return lanes.compactMap { lane in
      var lane = lane
      lane.steps.removeAll { !$0.isStart }
      return lane.steps.isEmpty ? nil : lane
    }
  }
}

extension Step {
  fileprivate var isReadiness: Bool { if case .readiness = wait { true } else { false } }
  fileprivate var isOfStarting: Bool { isStart || isReadiness }
}
