import Glibc

extension HostExamination {
  /// A number that the host limits something to, and the least that a stack of some hundred services does with.
  struct Limit: Hashable {
    var what: String
    var value: Int
    var least: Int
    /// The command that raises it.
    var remedy: String
  }

  /// Only those that are low are worth a line.
  func limits() -> [HostFinding] {
    let sysctls: [(name: String, what: String, least: Int)] = [
      ("kernel/pid_max", "process numbers", 32768),
      ("kernel/threads-max", "threads", 8192),
      ("fs/inotify/max_user_instances", "inotify instances", 64),
      ("fs/inotify/max_user_watches", "inotify watches", 4096),
      ("fs/file-max", "open files on the host", 65536),
      ("user/max_net_namespaces", "network namespaces", 1024),
      ("user/max_mnt_namespaces", "mount namespaces", 1024),
    ]
    var limits = sysctls.compactMap { entry in
      number(in: "/proc/sys/\(entry.name)").map { value in
        let name = entry.name.split(separator: "/").joined(separator: ".")
        return Limit(
          what: entry.what, value: value, least: entry.least, remedy: "sysctl -w \(name)=\(entry.least)")
      }
    }
    var files = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 {
      // A supervisor holds six descriptors or so for each service.
      limits.append(
        Limit(
          what: "open files of a process", value: Int(clamping: files.rlim_cur), least: 1024, remedy: "ulimit -n 8192"))
    }
    let low = limits.compactMap(Self.judge)
    return low.isEmpty ? [HostFinding(.good, "limits are high enough for hundreds of services")] : low
  }

  /// nil when it is high enough.
  static func judge(_ limit: Limit) -> HostFinding? {
    guard limit.value < limit.least else { return nil }
    return HostFinding(.notice, "few \(limit.what) are allowed: \(limit.value)", remedy: limit.remedy)
  }
}
