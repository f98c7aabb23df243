import Host
import Intent
import Isolation
import Kernel
import Planning
import Rules
import Runtime
import Synchronization
import Vocabulary

/// Applies steps to this host: the one place where plans become system calls.
///
/// Used from several threads at once. A step that removes something is content when it is gone already.
package final class StackBuilder: Sendable {
  package let folders: StateFolders
  package let stack: String
  let launchers: LauncherSource
  /// The limit of open files that services start with; nil for this process's own.
  let openFiles: OpenFileLimit?
  /// The host's cgroups.
  let controlGroups: ControlGroups
  /// The warnings of the plan under way, each once.
  package let warnings = Warnings()
  let hostRoot = Mutex<HostRoot?>(nil)
  let namespaces = NamespaceSource()
  let filters: SeccompFilters
  let deviceFilters = DeviceFilters()
  let netfilter = NetfilterConnection()
  let firewall = WrittenFirewall()
  /// True if this kernel has netem; nil until it was tried.
  let emulates = Mutex<Bool?>(nil)
  /// True if this kernel has IPv6, and was not booted with ipv6.disable=1.
  let hasIPv6 = Files.exists("/proc/sys/net/ipv6")
  /// The number of health probes that were started.
  let probes = Atomic<UInt64>(0)

  package init(
    folders: StateFolders, stack: String, controlGroups: ControlGroups, initProgram: String?,
    openFiles: OpenFileLimit? = nil
  ) {
    self.folders = folders
    self.openFiles = openFiles
    self.stack = stack
    filters = SeccompFilters(folders.cache)
    launchers = LauncherSource(initProgram: initProgram)
    self.controlGroups = controlGroups
  }

  package var folder: StackFolder { folders.stack(stack) }

  /// Makes what nearly every service needs and is made once.
  package func warmUp() {
    _ = try? launchers.shared()
    _ = try? filters.confinement(DesiredSecurity())
    _ = deviceFilters.filter(DeviceRule.standard)
  }

  /// Carries out one step.
  ///
  /// - Returns: the process, for a step that starts one.
  package func apply(_ step: Step) throws(StackError) -> ServiceProcess? {
    do {
      switch step {
      case .unsettle: try Files.remove(folder.settled)
      case .acceptClaim(let desired): try acceptClaim(of: desired)
      case .recordIntent(let desired): try record(desired)
      case .makeFolders(let desired): try makeFolders(desired)
      case .mountLayers: try mountLayers()
      case .makeHostRoot: try makeHostRoot()
      case .prepareHost(_, let forwarding, let neighbours):
        try HostSettings(folders: folders).prepare(
          for: stack, forwarding: forwarding, neighbours: neighbours, groups: controlGroups)
        warnOfNeighbours(neighbours)
      case .createBridge(let network, let desired): try create(network, in: desired)
      case .createSegment(let segment, let desired): try create(segment, in: desired)
      case .removeSegment(let segment): try remove(segment)
      case .writeFirewall(let desired):
        try writeFirewall(of: desired)
        try openPassage(for: desired)
      case .raiseBridge(let network, let desired): try raise(network, in: desired)
      case .partition(let desired): try netfilter.commit(PartitionFilter(desired).transaction)
      case .guardPorts(let services, let desired): try guardPorts(of: services, in: desired)
      case .dropUnguarded(let desired): dropUnguarded(desired)
      case .filterBridges(let networks, let desired): try filter(networks, by: desired.policy, of: desired)
      case .endFlows(let desired): try endFlows(against: desired)
      case .createNamespace(let service, _): try createNamespace(for: service)
      case .attach(let service, let desired): try attach(service, in: desired)
      case .shape(let service, _): try shape(service)
      case .connect(let link, let desired): try connect(link, in: desired)
      case .shapeLink(let link, let desired): try shape(link, in: desired)
      case .disconnect(let link, _): try disconnect(link)
      case .setRoutes(let service, _): try setRoutes(of: service)
      case .readdress(let service, let desired): try readdress(service, in: desired)
      case .addAddresses(let service, let desired): try addAddresses(of: service, in: desired)
      case .removeAddresses(let addresses, let service, let desired):
        try remove(addresses, of: service, in: desired)
      case .start(let service, _): return try start(service)
      case .pause(let service, _): try controlGroup(of: service.name).freeze()
      case .unpause(let service, _): try controlGroup(of: service.name).thaw()
      case .unpinNamespaces(let services, _): try unpin(services)
      case .detach(let service): try detach(service)
      case .removeLayer(let service, _): try removeLayer(of: service)
      case .removeKeptVolumes(let service, _): try Files.remove(folder.service(service).keptVolumes)
      case .removeLinks(let group, _): try removeLinks(group: group)
      case .removeBridge(let network): try remove(network)
      case .removeFirewall: try removeFirewall()
      case .forgetConnections(let desired): try forgetConnections(of: desired)
      case .removeControlGroups: try removeControlGroups()
      case .restoreHost: try HostSettings(folders: folders).release(stack)
      case .unmountLayers: try unmountLayers()
      case .removeVolumes: try removeVolumes()
      case .removeFolders: try removeFolders()
      case .awaitReady, .stop: break
      }
      return nil
    } catch {
      throw StackError([stack, step.service].compactMap(\.self).joined(separator: "/"), error)
    }
  }

  func namespace(of service: String) throws(KernelError) -> SharedNamespace {
    SharedNamespace(try NetworkNamespace.open(pinnedAt: folder.service(service).namespace))
  }

  /// The network namespace that a service runs in, whosever it is.
  package func namespace(of service: DesiredService) throws(KernelError) -> SharedNamespace {
    switch service.namespace {
    case .own: try namespace(of: service.name)
    case .service(let owner): try namespace(of: owner)
    // This process never leaves the host's.
    case .host: SharedNamespace(try NetworkNamespace.open(pinnedAt: "/proc/self/ns/net"))
    }
  }
}
