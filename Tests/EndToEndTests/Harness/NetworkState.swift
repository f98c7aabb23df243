import Foundation

/// The network of a host and of every namespace on it, as JSON from iproute2 and nftables.
///
/// Values that differ each time are removed: indexes, handles, counters, timers, and random hardware addresses.
struct NetworkState {
  private let sections: [String: [String]]
  /// The namespaces in which a routing daemon has made routes.
  private let daemons: Set<String>

  init(of host: ThrowawayHost) throws {
    let script = """
      look() { # TITLE OPTIONS OF-NETNS COMMAND…
        local title=$1 n=$2 in=$3
        echo "$title links|$(ip $n -j -d link)"
        echo "$title addresses|$(ip $n -j address)"
        echo "$title routes|$(ip $n -j route show table all)"
        echo "$title routes of IPv6|$(ip $n -6 -j route show table all)"
        echo "$title neighbours|$(ip $n -j neigh show nud permanent)"
        echo "$title rules|$(ip $n -j rule)"
        echo "$title queues|$(tc $n -j qdisc | tr -d '\\n')"
        echo "$title nftables|$($in nft -j list ruleset)"
        echo "$title settings|[$($in bash -c 'cd /proc/sys/net && grep -s . ipv4/ip_forward ipv4/conf/*/{rp_filter,forwarding,\
      arp_ignore,route_localnet} ipv6/conf/*/{disable_ipv6,accept_ra,autoconf,addr_gen_mode,forwarding,accept_dad,\
      router_solicitations,accept_redirects}' | sed 's/.*/"&"/' | paste -sd ,)]"
      }
      look host '' ''
      echo "forwarding entries|$(bridge -j fdb | tr -d '\\n')"
      echo "VLANs|$(bridge -j vlan | tr -d '\\n')"
      for name in $(ls /run/netns); do look $name "-n $name" "nsenter --net=/run/netns/$name"; done
      """
    var sections: [String: [String]] = [:]
    for line in try host.succeed("bash", "-c", script).split(separator: "\n") {
      let parts = line.split(separator: "|", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { throw HarnessError("not a section: \(line)") }
      sections[parts[0]] = parts[1].isEmpty ? [] : try Self.entries(parts[1])
    }
    // Routing daemons add routes when they get to it, and replace neighbours.
    daemons = Set(
      sections.filter { title, entries in title.hasSuffix(" routes") && entries.contains(where: Self.isOfDaemon) }.keys
        .map { String($0.dropLast(" routes".count)) })
    self.sections = sections.mapValues { $0.filter { !Self.isOfDaemon($0) } }
  }

  private static func isOfDaemon(_ entry: String) -> Bool {
    ["bird", "bgp", "ospf", "zebra"].contains { entry.contains("\"protocol\":\"\($0)\"") }
  }

  /// A line for each difference; empty where nothing differs.
  func differences(from other: NetworkState) -> [String] {
    let replaced = Set(daemons.union(other.daemons).map { "\($0) neighbours" })
    return Set(sections.keys).union(other.sections.keys).subtracting(replaced).sorted().flatMap { title in
      let (own, theirs) = (sections[title] ?? [], other.sections[title] ?? [])
      return own.difference(from: theirs).map { change in
        switch change {
        case .insert(_, let entry, _): "+ \(title): \(entry)"
        case .remove(_, let entry, _): "- \(title): \(entry)"
        }
      }
    }
  }

  private static let changing: Set<String> = [
    "ifindex", "link_index", "link_netnsid", "handle", "index", "packets", "bytes", "gc_timer", "hello_timer",
    "tcn_timer",
    "topology_change_timer", "forward_delay_timer", "bridge_id", "root_id", "designated_bridge", "designated_port",
    "port_id", "no", "metainfo",
  ]

  private static func entries(_ text: String) throws -> [String] {
    let json = try JSONSerialization.jsonObject(with: Data(text.utf8))
    let list = (json as? [String: Any])?["nftables"] as? [Any] ?? json as? [Any] ?? []
    return try list.map { try self.text(plain($0)) }.sorted()
  }

  private static func text(_ value: Any) throws -> String {
    String(
      decoding: try JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .fragmentsAllowed]),
      as: UTF8.self)
  }

  private static func plain(_ value: Any) throws -> Any {
    if let list = value as? [Any] { return try list.map(plain) }
    guard var object = value as? [String: Any] else { return value }
    for key in changing { object[key] = nil }
    // A bridge numbers its ports in the order in which they come, and services come side by side.
    if object["hairpin"] != nil { object["id"] = nil }
    for key in ["address", "mac"] where object["ifname"] != nil {
      guard let address = object[key] as? String else { continue }
      // Those that stack chooses, those of groups, and the loopback's.
      if !["02:73:0a", "33:33", "01:00", "00:00"].contains(where: address.hasPrefix) { object[key] = "by chance" }
    }
    // Packets add to the sets that have a size.
    if object["size"] != nil { object["elem"] = nil }
    // A set has no order.
    if let elements = object["elem"] as? [Any] {
      object["elem"] = try elements.map { try text(["element": plain($0)]) }.sorted()
    }
    return try object.mapValues(plain)
  }
}
