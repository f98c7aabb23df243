import Kernel
import Netlink

/// What others have taken away of what a stack had made.
struct NetworkLoss: Equatable {
  /// Names of networks whose bridge is gone.
  var networks: Set<String> = []
  /// Names of instances that lack a link to one of their networks.
  var instances: Set<String> = []

  var isEmpty: Bool { networks.isEmpty && instances.isEmpty }
}

extension StackBuilder {
  /// Looks which links of a stack are gone, though nobody has asked this program to remove them.
  func loss(of stack: DesiredStack) throws(KernelError) -> NetworkLoss {
    var host = try NetlinkSocket(.route)
    let present = Set(try host.links(LinkFilter(group: stack.linkGroup)).map(\.name))
    var loss = NetworkLoss()
    for network in stack.ownNetworks where network.parent == nil && !network.bridges.allSatisfy(present.contains) {
      loss.networks.insert(network.name)
    }
    for service in stack.services {
      let isCutOff = service.attachments.contains { attachment in
        loss.networks.contains(attachment.network)
          || attachment.parent == nil && !attachment.pairs.allSatisfy { present.contains($0.link) }
      }
      if isCutOff { loss.instances.insert(service.name) }
    }
    return loss
  }
}
