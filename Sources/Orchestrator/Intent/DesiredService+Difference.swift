import Isolation
import Vocabulary

extension DesiredService {
  /// The keys that make this a service to be made anew, as they read after "recreated"; nil when none does.
  ///
  /// A property that no line here names makes it anew as well: whoever adds one decides whether a running service can
  /// live through a change of it.
  package func difference(from before: DesiredService, old: DesiredStack, new: DesiredStack) -> String? {
    let fields: [(name: String, isSame: Bool)] =
      [
        (image == nil ? "rootfs" : "image", root == before.root),
        ("command", process.arguments == before.process.arguments),
        ("environment", process.environment == before.process.environment),
        ("working_dir", process.workingDirectory == before.process.workingDirectory),
        ("user", process.user == before.process.user),
        ("init", process.usesInit == before.process.usesInit),
        ("tty", process.hasTerminal == before.process.hasTerminal),
        ("stdin_open", process.keepsStdinOpen == before.process.keepsStdinOpen),
        ("read_only", process.isRootReadOnly == before.process.isRootReadOnly),
        ("privileges", hasSamePrivileges(as: before)),
        ("resource limits", limits == before.limits),
        ("userns_mode", firstIdentity == before.firstIdentity),
        ("hostname", hostname == before.hostname && domainname == before.domainname),
        ("volumes", mounts.showsSame(as: before.mounts)),
        (
          "networks",
          attachments.map(\.unshaped) == before.attachments.map(\.unshaped)
            && networks(in: new) == before.networks(in: old)
        ),
        // A file of its own is another mount; what is in it is written in place.
        ("extra_hosts", hostsFile == before.hostsFile || hasOtherNetworks(than: before)),
        ("network_mode", namespace == before.namespace),
        ("forward", forwards == before.forwards),
        ("switch", switching == before.switching),
        ("dns", resolverFile == before.resolverFile),
        ("labels", labels == before.labels),
        ("container_name", containerName == before.containerName),
        // A service with published ports has hairpin on its links. The ports themselves change nothing there.
        ("ports", readyPorts == before.readyPorts && ports.isEmpty == before.ports.isEmpty),
      ] + settings.difference(from: before.settings)
    let changed = fields.filter { !$0.isSame }.map(\.name)
    guard changed.isEmpty else { return changed.joined(separator: ", ") + " changed" }
    var rest = withSurroundings(of: before)
    // Compared above, as far as a change reaches inside, or changed inside without a restart.
    (rest.attachments, rest.mounts, rest.routes) = (before.attachments, before.mounts, before.routes)
    (rest.nameResolution, rest.extraHosts) = (before.nameResolution, before.extraHosts)
    (rest.keptHostsFile, rest.linksHaveIPv6) = (before.keptHostsFile, before.linksHaveIPv6)
    rest.loopback = before.loopback
    rest.process.security = before.process.security
    return rest == before ? nil : "settings changed"
  }

  /// Networks say which file of names it is given, and are compared by themselves.
  private func hasOtherNetworks(than before: DesiredService) -> Bool {
    namespace != before.namespace || attachments.map(\.network) != before.attachments.map(\.network)
  }

  /// True if its processes may do what they may do now. Earlier releases gave a router no NET_ADMIN: one that runs without gets
  /// it at its next start.
  private func hasSamePrivileges(as before: DesiredService) -> Bool {
    if process.security == before.process.security { return true }
    guard forwards, before.forwards else { return false }
    var granted = before.process.security
    granted.added.formUnion(CapabilitySet([.netAdmin]))
    granted.capabilities.formUnion(granted.added)
    return process.security == granted
  }

  /// This service with the surroundings of another one: the properties whose change its processes do not notice.
  package func withSurroundings(of other: DesiredService) -> DesiredService {
    var service = self
    (service.ports, service.rangePorts) = (other.ports, other.rangePorts)
    (service.dependencies, service.stop, service.restart) = (other.dependencies, other.stop, other.restart)
    (service.healthCheck, service.declaredAt) = (other.healthCheck, other.declaredAt)
    service.sharedFolderOfRoot = other.sharedFolderOfRoot
    (service.postStart, service.preStop) = (other.postStart, other.preStop)
    return service
  }

  /// The networks it is attached to, as the stack has them: a subnet that moved makes the service anew.
  package func networks(in stack: DesiredStack) -> [DesiredNetwork] {
    attachments.compactMap { stack.network(named: $0.network) }
  }
}
