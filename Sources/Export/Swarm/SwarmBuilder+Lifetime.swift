import Isolation
import StackFiles
import Vocabulary

extension SwarmBuilder {
  func lifetime(_ service: StackFile.Service) -> [OutputValue.Entry] {
    var entries: [OutputValue.Entry] = []
    if let check = service.healthCheck {
      let test: [String] =
        switch check.test.value {
        case .command(let words): ["CMD"] + words
        case .shell(let text): ["CMD-SHELL", text]
        }
      entries.append(
        .init(
          key: "healthcheck",
          value: .mapping([
            "test": Self.literals(test), "interval": .text(DurationText.text(check.interval)),
            "timeout": .text(DurationText.text(check.timeout)), "retries": .number(check.retries),
            "start_period": check.startPeriod > .zero ? .text(DurationText.text(check.startPeriod)) : nil,
          ])))
    } else if service.healthOverrides.isDisabled {
      entries.append(.init(key: "healthcheck", value: .mapping(["disable": .bool(true)])))
    }
    if let signal = service.stopSignal {
      entries.append(.init(key: "stop_signal", value: .text(signal.value.description)))
    }
    entries.append(.init(key: "stop_grace_period", value: .text(DurationText.text(service.stopGracePeriod))))
    return entries
  }

  func deployment(_ service: StackFile.Service, _ replicas: Int) -> OutputValue {
    let limits = service.limits
    var restart: [(String, OutputValue)] = []
    switch service.restart {
    case .no: restart = [("condition", .text("none"))]
    case .always, .unlessStopped: restart = [("condition", .text("any"))]
    case .onFailure(let maximum):
      restart = [("condition", .text("on-failure"))] + (maximum.map { [("max_attempts", .number($0))] } ?? [])
    }
    /// Hundredths of a processor.
    func processors(_ hundredths: UInt64) -> OutputValue {
      let rest = hundredths % 100
      return .text("\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)")
    }
    var processes: OutputValue?
    if case .exactly(let count) = limits.processes { processes = .number(Int(clamping: count)) }
    let most = OutputValue.mapping([
      "cpus": limits.processorQuota.map { processors($0 / 1000) }, "memory": limits.memory.map { .text("\($0)") },
      "pids": processes,
    ])
    let least = OutputValue.mapping([
      "cpus": limits.processorShares.map { processors($0 * 100 / 1024) },
      "memory": limits.reservedMemory.map { .text("\($0)") },
    ])
    let architecture = service.platform?.value.split(separator: "/").dropFirst().first.map(String.init)
    return .mapping([
      "replicas": .number(replicas),
      // Names lead to the replicas themselves, as they do here.
      "endpoint_mode": .text("dnsrr"),
      "restart_policy": .mapping(restart.map { .init(key: $0.0, value: $0.1) }),
      "placement": architecture.map {
        .mapping(["constraints": .texts(["node.platform.arch == \(Self.nodeArchitecture($0))"])])
      },
      "resources": OutputValue.mapping(["limits": most.unlessEmpty, "reservations": least.unlessEmpty]).unlessEmpty,
    ])
  }

  /// As nodes call themselves (uname(1)).
  private static func nodeArchitecture(_ name: String) -> String {
    switch name {
    case "amd64": "x86_64"
    case "arm64": "aarch64"
    default: name
    }
  }
}
