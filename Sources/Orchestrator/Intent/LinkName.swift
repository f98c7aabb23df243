import Vocabulary

/// Names of network interfaces: at most 15 bytes (IFNAMSIZ in linux/if.h, less the final NUL).
package enum LinkName {
  /// `web-front`, or `long-sta-x7k2mq` where that is too long.
  ///
  /// - Parameter attempt: counts up while the name is somebody else's: `a-b` with `c` reads as `a` with `b-c`.
  package static func bridge(stack: String, network: String, attempt: Int = 0) -> String {
    let readable = "\(stack)-\(network)"
    guard readable.utf8.count > InterfaceName.limit || attempt > 0 else { return readable }
    return tagged(readable, StableHash("bridge", stack, network), attempt)
  }

  /// The host's end of a veth pair: `web1-x7k2mq`. The tag keeps equal service names of several stacks apart.
  package static func veth(stack: String, service: String, network: String, attempt: Int = 0) -> String {
    tagged(service, StableHash("veth", stack, service, network), attempt)
  }

  /// The VXLAN link that joins a network's bridge to another host's: `front-x7k2mq`.
  package static func tunnel(stack: String, network: String, attempt: Int = 0) -> String {
    tagged(network, StableHash("tunnel", stack, network), attempt)
  }

  /// A further bridge of a large network, and the two ends of what joins it to the first.
  package static func segment(stack: String, network: String, _ number: Int, _ part: String, attempt: Int = 0) -> String
  {
    tagged("\(part)\(number)\(network)", StableHash("segment", stack, network, String(number), part), attempt)
  }

  /// The bridge of a VLAN that has one of its own: `v10lab-x7k2mq`.
  package static func vlan(_ id: UInt16, stack: String, network: String, attempt: Int = 0) -> String {
    tagged("v\(id)\(network)", StableHash("vlan", stack, network, String(id)), attempt)
  }

  private static func tagged(_ text: String, _ hash: StableHash, _ attempt: Int) -> String {
    let hash = attempt == 0 ? hash : StableHash(hash.tag, String(attempt))
    var beginning = text
    while beginning.utf8.count > 8 { beginning.removeLast() }
    return "\(beginning)-\(hash.tag)"
  }

  /// The alias that tells whose a link is, also when the stack's state is lost: `stack:web/web1/front`.
  package static func alias(stack: String, _ parts: String...) -> String {
    (["stack:\(stack)"] + parts).joined(separator: "/")
  }
}
