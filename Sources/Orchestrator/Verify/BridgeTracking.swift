import Addresses
import Kernel

/// Of which families the host's connection tracking sees packets that its bridges pass on between two services: on most hosts
/// with Docker, of both.
package struct BridgeTracking: Hashable, Sendable {
  var ipv4 = false
  var ipv6 = false

  /// As the host is set for all bridges. Without br_netfilter there is no such setting.
  package static func observe() -> BridgeTracking {
    BridgeTracking(ipv4: isSet("bridge-nf-call-iptables"), ipv6: isSet("bridge-nf-call-ip6tables"))
  }

  private static func isSet(_ name: String) -> Bool {
    let bytes = try? Files.read("/proc/sys/net/bridge/\(name)")
    return bytes.map { !$0.starts(with: Array("0".utf8)) } ?? false
  }

  func contains(_ address: IPAddress) -> Bool {
    switch address {
    case .v4: ipv4
    case .v6: ipv6
    }
  }
}
