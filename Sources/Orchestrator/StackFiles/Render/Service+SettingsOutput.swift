import Isolation
import Vocabulary

extension StackFile.Service {
  /// The keys that set something of the kernel's, as people write them.
  var settingsOutput: [OutputValue.Entry] {
    let output = OutputValue.mapping([
      "ulimits": settings.limits.isEmpty
        ? nil : .mapping(settings.limits.map { .init(key: $0.kind.rawValue, value: $0.output) }),
      "oom_score_adj": settings.oomScoreAdjustment.map { .number(Int($0)) },
      "shm_size": settings.sharedMemorySize.map { .text("\($0)") },
      "storage_opt": settings.writableSize.map { .mapping(["size": .text("\($0)")]) },
      "sysctls": settings.kernelParameters.isEmpty
        ? nil
        : .mapping(
          settings.kernelParameters.sorted { $0.key < $1.key }.map {
            .init(key: Self.parameterName($0.key), value: .escaped($0.value))
          }),
      "devices": settings.devices.isEmpty
        ? nil : .list(settings.devices.map { .escaped("\($0.path):/dev/\($0.name):\($0.access)") }),
      "device_cgroup_rules": settings.deviceRules.isEmpty ? nil : .texts(settings.deviceRules.map(\.description)),
      "group_add": settings.groups.isEmpty ? nil : .list(settings.groups.map { .escaped($0) }),
      "ipc": settings.ipc.output,
      "pid": settings.pid.output,
      "uts": settings.usesHostNames ? .text("host") : nil,
      "time_offset": settings.timeOffsets.map {
        .mapping(["monotonic": .text("\($0.monotonic)s"), "boottime": .text("\($0.boot)s")])
      },
    ])
    guard case .mapping(let entries) = output else { return [] }
    return entries
  }

  /// With dots, as people write it. The name of an interface may have dots of its own: then with slashes.
  private static func parameterName(_ path: String) -> String {
    path.contains(".") ? path : path.split(separator: "/").joined(separator: ".")
  }
}

extension ProcessLimit {
  var output: OutputValue {
    func text(_ value: UInt64) -> OutputValue { value == .max ? .number(-1) : .number(Int(clamping: value)) }
    return .mapping(["soft": text(soft), "hard": text(hard)])
  }
}

extension DesiredSettings.Namespace {
  var output: OutputValue? {
    switch self {
    case .own: nil
    case .host: .text("host")
    case .service(let name): .text("service:\(name)")
    }
  }
}
