import Vocabulary

extension DesiredService {
  /// The network over which it asks for names: that of its default route, or the first.
  package var resolverNetwork: String? {
    // In a VLAN, on a link of the host and on a network without the host there is no gateway that is the stack's.
    let beside = attachments.filter { $0.accessVLAN == nil && $0.isOnBridge && !$0.isWithoutHost }
    return (beside.first(where: \.isDefaultRoute) ?? beside.first)?.network
  }

  /// The name of its /etc/resolv.conf among the stack's name files.
  package var resolverFile: String {
    guard namespace == .own else { return "resolv.of.\(StableHash(name).tag)" }
    let parts = [nameResolution.search, nameResolution.options].map { $0?.joined(separator: " ") ?? "-" }
    return "resolv.\(StableHash(resolverNetwork ?? "", parts[0], parts[1]).tag)"
  }
}

extension DesiredService {
  /// The name of its /etc/hosts among the stack's name files: services on the same networks share one.
  package var hostsFile: String {
    if let keptHostsFile { return keptHostsFile }
    let networks = attachments.map(\.network).sorted()
    guard extraHosts.isEmpty, namespace == .own else { return ownHostsFile }
    return "hosts.\(networks.isEmpty ? "none" : StableHash(networks.joined(separator: "/")).tag)"
  }

  /// The name of a file that it shares with nobody.
  private var ownHostsFile: String { "hosts.of.\(StableHash(name).tag)" }

  /// True if its /etc/hosts is shared: then it holds no lines of this service alone.
  package var sharesHostsFile: Bool { hostsFile != ownHostsFile }
}

extension DesiredService {
  /// Its names on one network: its own, the name that it shares with its replicas, its container name, its hostname, and
  /// its aliases there.
  package func names(on attachment: DesiredAttachment) -> [String] { (names + attachment.aliases).uniqued() }

  /// Its names wherever it is.
  package var names: [String] { ([name, service] + [containerName, hostname].compactMap(\.self)).uniqued() }
}
