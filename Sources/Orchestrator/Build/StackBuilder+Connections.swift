import Addresses
import Host
import Intent
import Kernel
import Netlink
import Rules
import SystemPackage

extension StackBuilder {
  /// Makes the kernel forget the connections that do not go where the stack's ports now lead: see `StaleConnections`.
  func forgetStaleConnections(_ stack: DesiredStack) throws(KernelError) {
    // A stack that comes up for the first time, and publishes nothing, has nothing to do with what is there.
    guard !stack.publishedPorts.isEmpty || Files.exists(folder.settled) else { return }
    let stale = StaleConnections(stack)
    try netfilter.forgetConnections { connections throws(KernelError) in
      var route = try NetlinkSocket(.route)
      let own = try Set(route.addresses().map(\.address))
      func isOwn(_ address: IPAddress) -> Bool {
        if case .v4(let v4) = address, v4.isLoopback { return true }
        return own.contains(address)
      }
      return connections.filter { stale.contains($0, isOwn: isOwn) }
    }
  }

  /// Makes the kernel forget every connection of the stack, whose addresses will be somebody else's.
  func forgetConnections(of stack: DesiredStack) throws(KernelError) {
    let subnets = stack.subnets
    try netfilter.forgetConnections { connections in connections.filter { $0.touches(subnets) } }
  }
}
