import Intent

/// The things that the begun steps touched, and so have to be undone. This is the one place that says it for each kind
/// of step.
struct UndoScope: Hashable {
  /// Instances whose namespace or links were removed or made: they are made anew as they were.
  var remade: Set<String> = []
  var started: Set<String> = []
  var stopped: Set<String> = []
  var reshaped: Set<String> = []
  var madeBridges: [DesiredNetwork] = []
  var lostBridges: [DesiredNetwork] = []
  var madeSegments: [DesiredSegment] = []
  var lostSegments: Set<DesiredSegment> = []
  var madeLinks: [DesiredLink] = []
  var lostLinks: Set<DesiredLink> = []
  /// Without their shapes.
  var reshapedLinks: Set<DesiredLink> = []
  /// Instances that stayed and were given other routes.
  var rerouted: Set<String> = []
  /// Instances that stayed, and to which further addresses were given or from which they were taken.
  var readdressed: Set<String> = []
  /// True if the record no longer holds. Then what follows from the whole stack is written anew.
  var isUnsettled = false

  mutating func add(_ step: Step) {
    switch step {
    case .unsettle, .acceptClaim, .recordIntent: isUnsettled = true
    case .createBridge(let network, _): madeBridges.append(network)
    case .removeBridge(let network): lostBridges.append(network)
    case .createSegment(let segment, _): madeSegments.append(segment)
    case .removeSegment(let segment): lostSegments.insert(segment)
    case .createNamespace(let service, _), .attach(let service, _), .detach(let service): remade.insert(service.name)
    case .removeLayer(let service, _): remade.insert(service)
    case .unpinNamespaces(let services, _): remade.formUnion(services)
    case .start(let service, _): started.insert(service.name)
    case .stop(let service, _): stopped.insert(service.name)
    case .shape(let service, _): reshaped.insert(service.name)
    case .connect(let link, _): madeLinks.append(link)
    case .disconnect(let link, _): lostLinks.insert(link)
    case .shapeLink(let link, _): reshapedLinks.insert(link.unshaped)
    case .addAddresses(let service, _), .removeAddresses(_, let service, _): readdressed.insert(service.name)
    case .setRoutes(let service, _): rerouted.insert(service.name)
    // Whatever unsettles the record has these done again, as they were for the stack of before.
    case .makeFolders, .writeFirewall, .partition, .filterBridges, .endFlows: break
    // These stay as long as the stack does.
    case .mountLayers, .makeHostRoot, .prepareHost, .raiseBridge, .guardPorts, .dropUnguarded, .readdress, .awaitReady:
      break
    // Commands of their own, which nobody undoes, and data that is gone.
    case .pause, .unpause, .removeKeptVolumes: break
    // Of `down`, which goes on whatever fails.
    case .removeLinks, .removeFirewall, .forgetConnections, .removeControlGroups, .restoreHost, .unmountLayers,
      .removeVolumes, .removeFolders:
      break
    }
  }
}
