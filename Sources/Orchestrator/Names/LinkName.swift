/// Names of network interfaces: at most 15 bytes (IFNAMSIZ in linux/if.h, less the final NUL).
enum LinkName {
  static let limit = 15

  /// `web-front`, or `long-sta-x7k2mq` where that is too long.
  static func bridge(stack: String, network: String) -> String {
    let readable = "\(stack)-\(network)"
    return readable.utf8.count <= limit ? readable : tagged(readable, StableHash("bridge", stack, network))
  }

  /// The host's end of a veth pair: `web1-x7k2mq`. The tag keeps equal service names of several stacks apart.
  static func veth(stack: String, service: String, network: String) -> String {
    tagged(service, StableHash("veth", stack, service, network))
  }

  private static func tagged(_ text: String, _ hash: StableHash) -> String {
    "\(text.prefix(8))-\(hash.tag)"
  }

  /// The alias that tells whose a link is, also when the stack's state is lost: `stack:web/web1/front`.
  static func alias(stack: String, _ parts: String...) -> String {
    (["stack:\(stack)"] + parts).joined(separator: "/")
  }
}
