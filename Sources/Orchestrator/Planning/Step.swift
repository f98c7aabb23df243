import Intent

/// One change to the host, small enough to name, to show as the command a person would have typed, and to
/// apply. What is removed or undone may be half made: a step that removes is content with what is not there.
package enum Step: Hashable, Sendable {
  // Steps for what the services share.
  /// Notes that the stack is no more what its record says.
  case unsettle(stack: String)
  /// Makes what a command has claimed the record, before the first effect.
  case acceptClaim(DesiredStack)
  /// Records what is desired, before the first effect.
  case recordIntent(DesiredStack)
  /// Folders, volumes and the name files of a stack.
  case makeFolders(DesiredStack)
  /// A tmpfs for the writable layers: no disk inodes are made and none are left.
  case mountLayers(stack: String)
  /// The lower folder of `rootfs: host`.
  case makeHostRoot(stack: String)
  /// Prepares the host: a folder for pinned namespaces and, on a host that is no router yet, forwarding between
  /// interfaces.
  ///
  /// `neighbours` is how many entries of one family its services need in the kernel's neighbour table.
  case prepareHost(stack: String, forwarding: Forwarding, neighbours: Int)
  case createBridge(DesiredNetwork, DesiredStack)
  /// A bridge that somebody set down or took addresses from, as it was, with the neighbours that the kernel forgot.
  case raiseBridge(DesiredNetwork, DesiredStack)
  /// A further bridge of a large network, joined to the network's own.
  case createSegment(DesiredSegment, DesiredStack)
  /// The stack's nftables table, replaced as a whole in one transaction.
  case writeFirewall(DesiredStack)
  /// Adds or removes the chain that drops packets between groups of services (`stack partition`).
  case partition(DesiredStack)
  /// Gives the ports of services that stay, and the bridges, the guards that new ones have.
  case guardPorts([DesiredService], DesiredStack)
  /// Drops unmarked packets at ports and bridges, so that the loss of the tables opens nothing.
  case dropUnguarded(DesiredStack)
  /// Switches for each bridge whether the firewall sees bridged frames (`nf_call_iptables`).
  case filterBridges([DesiredNetwork], DesiredStack)
  /// Forgets the connections that the rules no longer let begin.
  case endFlows(DesiredStack)

  // Steps for one service.
  /// A network namespace under a name that ip-netns(8) knows, which keeps it beyond its processes.
  case createNamespace(DesiredService, stack: String)
  /// Veth pairs from the service's namespace to its bridges, with addresses, routes, neighbours and fdb entries.
  case attach(DesiredService, DesiredStack)
  /// Sets the conditions of an attached service's links.
  case shape(DesiredService, DesiredStack)
  /// A link between two services, set up at both ends, in place of one that lost an end.
  case connect(DesiredLink, DesiredStack)
  /// Sets the conditions of a link that stays.
  case shapeLink(DesiredLink, DesiredStack)
  /// A service's routes, no more and no fewer than it is to have.
  case setRoutes(DesiredService, stack: String)
  /// The addresses and routes of a service's interfaces, where somebody has removed them.
  case readdress(DesiredService, DesiredStack)
  /// The further addresses of a service that stays, and what its neighbours know of them.
  case addAddresses(DesiredService, DesiredStack)
  /// Takes further addresses of a service that stays away from it. The service and the stack are as they were.
  case removeAddresses([FurtherAddress], DesiredService, DesiredStack)
  case start(DesiredService, stack: String)
  case awaitReady(DesiredService, stack: String)

  /// Has all processes of a service stand still, and lets them go on.
  case pause(DesiredService, stack: String)
  case unpause(DesiredService, stack: String)

  // And the way back.
  case stop(DesiredService, stack: String)
  case unpinNamespaces([String], stack: String)
  case detach(DesiredService)
  case disconnect(DesiredLink, stack: String)
  case removeLayer(service: String, stack: String)
  /// Removes the volumes without a name of a service, which would be handed on.
  case removeKeptVolumes(service: String, stack: String)
  /// All bridges and host ends of veth pairs at once, by their device group: the kernel waits for its readers once for all
  /// of them, not once for each.
  case removeLinks(group: UInt32, stack: String)
  case removeBridge(DesiredNetwork)
  case removeSegment(DesiredSegment)
  case removeFirewall(stack: String)
  /// Deletes tracked connections to and from the stack's addresses.
  case forgetConnections(DesiredStack)
  case removeControlGroups(stack: String)
  case restoreHost
  case unmountLayers(stack: String)
  case removeVolumes(stack: String)
  case removeFolders(stack: String)
}

extension Step {
  /// The service that the step is for, if it is for one.
  package var service: String? {
    switch self {
    case .createNamespace(let service, _), .attach(let service, _), .shape(let service, _), .start(let service, _),
      .awaitReady(let service, _), .setRoutes(let service, _), .pause(let service, _), .unpause(let service, _),
      .stop(let service, _), .detach(let service), .readdress(let service, _), .addAddresses(let service, _),
      .removeAddresses(_, let service, _):
      service.name
    case .removeLayer(let service, _), .removeKeptVolumes(let service, _): service
    case .unsettle, .acceptClaim, .recordIntent, .makeFolders, .mountLayers, .makeHostRoot, .prepareHost, .createBridge,
      .raiseBridge, .createSegment, .writeFirewall, .partition, .guardPorts, .dropUnguarded, .filterBridges, .endFlows,
      .connect, .shapeLink,
      .unpinNamespaces, .disconnect, .removeLinks, .removeBridge, .removeSegment, .removeFirewall, .forgetConnections,
      .removeControlGroups, .restoreHost, .unmountLayers, .removeVolumes, .removeFolders:
      nil
    }
  }
}

extension Step {
  /// An event that a step waits for. A supervisor waits beside other work, a script in turn.
  package enum Wait: Hashable {
    case readiness(DesiredService)
    /// After the signal to stop.
    case end(DesiredService)
  }

  /// nil for what the kernel has done when the call returns.
  package var wait: Wait? {
    switch self {
    case .awaitReady(let service, _): .readiness(service)
    case .stop(let service, _): .end(service)
    case .unsettle, .acceptClaim, .recordIntent, .makeFolders, .mountLayers, .makeHostRoot, .prepareHost, .createBridge,
      .raiseBridge, .createSegment, .writeFirewall, .partition, .guardPorts, .dropUnguarded, .filterBridges, .endFlows,
      .createNamespace, .attach,
      .shape, .connect, .shapeLink, .setRoutes, .readdress, .addAddresses, .removeAddresses, .start, .pause, .unpause,
      .unpinNamespaces, .detach,
      .disconnect,
      .removeLayer, .removeKeptVolumes, .removeLinks, .removeBridge, .removeSegment, .removeFirewall,
      .forgetConnections,
      .removeControlGroups, .restoreHost, .unmountLayers, .removeVolumes, .removeFolders:
      nil
    }
  }
}

extension Step {
  package var isStart: Bool { if case .start = self { true } else { false } }
}
