import Vocabulary

extension DesiredService {
  /// Which field makes this a service to be made anew, as it reads after "recreated"; nil when none does.
  ///
  /// Dependencies, published ports, restart policy and the like change nothing inside a running service.
  package func difference(from before: DesiredService, old: DesiredStack, new: DesiredStack) -> String? {
    let fields: [(name: String, isSame: Bool)] =
      [
        ("rootfs", root == before.root),
        ("command", process.arguments == before.process.arguments),
        ("environment", process.environment == before.process.environment),
        ("working_dir", process.workingDirectory == before.process.workingDirectory),
        ("user", process.user == before.process.user),
        ("init", process.usesInit == before.process.usesInit),
        ("tty", process.hasTerminal == before.process.hasTerminal),
        ("stdin_open", process.keepsStdinOpen == before.process.keepsStdinOpen),
        ("read_only", process.isRootReadOnly == before.process.isRootReadOnly),
        ("privileges", process.security == before.process.security),
        ("resource limits", limits == before.limits),
        ("userns_mode", firstIdentity == before.firstIdentity),
        ("hostname", hostname == before.hostname && domainname == before.domainname),
        ("volumes", mounts.map(\.unplaced) == before.mounts.map(\.unplaced)),
        (
          "networks",
          attachments.map(\.unshaped) == before.attachments.map(\.unshaped)
            && networks(in: new) == before.networks(in: old)
        ),
        // A file of its own is another mount; what is in it is written in place.
        ("extra_hosts", extraHosts.isEmpty == before.extraHosts.isEmpty),
        ("network_mode", namespace == before.namespace),
        ("links", linksHaveIPv6 == before.linksHaveIPv6),
        ("forward", forwards == before.forwards),
        ("dns", resolverFile == before.resolverFile),
        ("labels", labels == before.labels),
        ("container_name", containerName == before.containerName),
        // Whether any port is published decides how its links are made (hairpin); which ones does not.
        ("ports", readyPorts == before.readyPorts && ports.isEmpty == before.ports.isEmpty),
      ] + settings.difference(from: before.settings)
    let changed = fields.filter { !$0.isSame }.map(\.name)
    return changed.isEmpty ? nil : changed.joined(separator: ", ") + " changed"
  }

  /// The networks it is attached to, as the stack has them: a subnet that moved makes the service anew.
  package func networks(in stack: DesiredStack) -> [DesiredNetwork] {
    attachments.compactMap { stack.network(named: $0.network) }
  }
}
