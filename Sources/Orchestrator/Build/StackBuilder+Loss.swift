import Intent
import Kernel
import Netlink
import Planning

extension StackBuilder {
  /// Looks which links of a stack are gone, though nobody has asked this program to remove them.
  package func loss(of stack: DesiredStack) throws(KernelError) -> NetworkLoss {
    var host = try NetlinkSocket(.route)
    let present = Set(try host.links(LinkFilter(group: stack.linkGroup)).map(\.name))
    var loss = NetworkLoss()
    for network in stack.ownNetworks where network.hasBridge && !network.bridges.allSatisfy(present.contains) {
      loss.networks.insert(network.name)
    }
    for service in stack.services {
      let isCutOff = service.attachments.contains { attachment in
        loss.networks.contains(attachment.network)
          || attachment.isOnBridge && !attachment.pairs.allSatisfy { present.contains($0.link) }
      }
      if isCutOff { loss.instances.insert(service.name) }
    }
    return loss
  }
}
