extension DesiredService {
  /// Settings under /proc/sys that its namespaces get as it starts, by their paths: the file's, over those for every service that
  /// has a network namespace of its own.
  ///
  /// There the first 1,024 ports and echo requests are nobody else's, so its users need no privilege for them: neither
  /// NET_BIND_SERVICE (ip(7), ip_unprivileged_port_start) nor NET_RAW (icmp(7), ping_group_range).
  package var kernelParameters: [String: String] {
    let standard =
      namespace == .own
      ? ["net/ipv4/ip_unprivileged_port_start": "0", "net/ipv4/ping_group_range": "0 2147483647"] : [:]
    return standard.merging(settings.kernelParameters) { _, given in given }
  }
}
