import Vocabulary
import Intent
import Vocabulary

extension Step: CustomStringConvertible {
  /// The step's effect, in a line.
  package var description: String {
    switch self {
    case .unsettle(let stack): "note that stack \(stack) is being changed"
    case .acceptClaim(let stack), .recordIntent(let stack): "record what stack \(stack.name) is to be"
    case .makeFolders(let stack): "make the folders of stack \(stack.name)"
    case .mountLayers: "mount a tmpfs for writable layers"
    case .makeHostRoot: "make a root folder around the host's /usr"
    case .prepareHost(_, let forwarding, _):
      !forwarding.isEmpty ? "let packets pass between interfaces" : "make a place for pinned namespaces"
    case .createBridge(let network, _):
      switch network.kind {
      case .bridge, .vxlan: "create bridge \(network.bridge) for network \(network.name), \(network.subnet)"
      case .macvlan(let parent): "use link \(parent) for network \(network.name), \(network.subnet)"
      }
    case .createSegment(let segment, _): "create bridge \(segment.bridge), more room for network \(segment.network)"
    case .removeSegment(let segment): "remove bridge \(segment.bridge)"
    case .raiseBridge(let network, _): "put bridge \(network.bridge) back as it was"
    case .writeFirewall(let stack): "write nftables table \(StackTable.name(of: stack.name))"
    case .partition(let stack):
      stack.partition.map {
        "cut off from each other: \($0)"
      }
        ?? "let all services of \(stack.name) reach each other again"
    case .guardPorts(let services, let stack):
      services.isEmpty
        ? "guard the bridges of \(stack.name)"
        : "hold to their own addresses the ports of \(services.map(\.name).joined(separator: ", "))"
    case .dropUnguarded(let stack): "drop at the ports of \(stack.name) what no guard has seen"
    case .filterBridges(let networks, _):
      "choose what the rules see of bridges \(networks.map(\.bridge).joined(separator: ", "))"
    case .endFlows(let stack): "end connections that the rules of stack \(stack.name) do not allow"
    case .createNamespace(let service, _): "create a network namespace for \(service.name)"
    case .attach(let service, _):
      "attach \(service.name) to "
        + (service.attachments.isEmpty
          ? "no network" : service.attachments.map { "\($0.network) as \($0.address)" }.joined(separator: ", "))
    case .shape(let service, _):
      "set the links of \(service.name): "
        + service.attachments.map { "\($0.network) \($0.shapeDescription)" }.joined(separator: "; ")
    case .connect(let link, _): "link \(link.services)" + (link.hostLink.map { "'s \($0.name)" } ?? "")
    case .shapeLink(let link, let stack):
      "set the link of \(link.services): "
        + (link.isSetDown || stack.isCut(link) ? "no packet passes" : link.currentConditions.description)
    case .disconnect(let link, _): "remove the link between \(link.services)"
    case .setRoutes(let service, _):
      service.routes.isEmpty
        ? "remove the routes of \(service.name)"
        : "set the routes of \(service.name): \(service.routes.map(\.text).joined(separator: ", "))"
    case .readdress(let service, _): "put back the addresses and routes of \(service.name)"
    case .addAddresses(let service, _):
      "give \(service.name) further addresses: \(service.furtherAddresses.map(\.text).joined(separator: ", "))"
    case .removeAddresses(let addresses, let service, _):
      "take addresses from \(service.name): \(addresses.map(\.text).joined(separator: ", "))"
    case .start(let service, _):
      "start \(service.name): \(service.process.arguments.map(Shell.quoted).joined(separator: " "))"
    case .awaitReady(let service, _):
      service.healthCheck != nil
        ? "wait until \(service.name) is healthy"
        : service.readyPorts.isEmpty
          ? "wait until \(service.name) runs"
          : "wait until \(service.name) listens on \(service.readyPorts.map(\.description).joined(separator: ", "))"
    case .pause(let service, _): "have \(service.name) stand still"
    case .unpause(let service, _): "let \(service.name) go on"
    case .stop(let service, _): "stop \(service.name)"
    case .unpinNamespaces(let services, _): "remove \(services.count) network namespaces"
    case .detach(let service): "detach \(service.name) from its networks"
    case .removeLayer(let service, _): "remove the writable layer of \(service)"
    case .removeKeptVolumes(let service, _): "remove the volumes without a name of \(service)"
    case .removeLinks(_, let stack): "remove the links of stack \(stack)"
    case .removeBridge(let network): "remove bridge \(network.bridge)"
    case .removeFirewall(let stack): "remove nftables table \(StackTable.name(of: stack))"
    case .forgetConnections(let stack): "forget the connections of stack \(stack.name)"
    case .removeControlGroups(let stack): "remove the control groups of stack \(stack)"
    case .restoreHost: "put the host's settings back as they were, if no other stack needs them"
    case .unmountLayers: "unmount the writable layers"
    case .removeVolumes(let stack): "remove the volumes of stack \(stack)"
    case .removeFolders(let stack): "remove the folders of stack \(stack)"
    }
  }
}
