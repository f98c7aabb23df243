import Glibc
import Kernel
import Netlink

extension HostExamination {
  /// A number that the host limits something to, and the least that a stack of some hundred services does with.
  struct Limit: Hashable {
    var what: String
    var value: Int
    var least: Int
    /// The command that raises it.
    var remedy: String
  }

  /// The limits that are too low. Others get no line.
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
    let low = limits.compactMap(Self.judge) + tables()
    return low.isEmpty ? [HostFinding(.good, "limits are high enough for hundreds of services")] : low
  }

  /// Judges the use of the kernel's neighbour tables and of the host's connection tracking table.
  ///
  /// All namespaces share the neighbour tables.
  private func tables() -> [HostFinding] {
    var socket = try? NetlinkSocket(.route)
    let neighbours = (try? socket?.neighbourTables()) ?? nil
    let connections = number(in: "/proc/sys/net/netfilter/nf_conntrack_count").flatMap { count in
      number(in: "/proc/sys/net/netfilter/nf_conntrack_max").map { (count: count, most: $0) }
    }
    return (neighbours ?? []).compactMap(Self.judge)
      + [connections.flatMap { Self.judge(connections: $0.count, of: $0.most) }].compactMap(\.self)
  }

  /// nil for a table that always had room.
  static func judge(_ table: NeighbourTable) -> HostFinding? {
    guard table.overflows > 0 else { return nil }
    let family = table.name == "arp_cache" ? "ipv4" : "ipv6"
    return HostFinding(
      .notice,
      "the kernel's neighbour table (\(table.name)) had no room \(table.overflows) times since the start: packets were lost; "
        + "it learns \(table.limit) neighbours for all namespaces together",
      remedy: "sysctl -w net.\(family).neigh.default.gc_thresh3=\(max(4096, 4 * table.limit))")
  }

  /// nil while there is room.
  static func judge(connections count: Int, of most: Int) -> HostFinding? {
    guard most > 0, count >= most - most / 10 else { return nil }
    return HostFinding(
      .notice, "the host's table of connections is nearly full: \(count) of \(most); beyond, packets are dropped",
      remedy: "sysctl -w net.netfilter.nf_conntrack_max=\(4 * most)")
  }

  /// nil when it is high enough.
  static func judge(_ limit: Limit) -> HostFinding? {
    guard limit.value < limit.least else { return nil }
    return HostFinding(.notice, "few \(limit.what) are allowed: \(limit.value)", remedy: limit.remedy)
  }
}
