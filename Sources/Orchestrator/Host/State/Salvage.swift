import Addresses
import Intent
import Kernel
import Netlink
import Runtime

/// Finds a stack whose record is lost, by the owner's name that all its kernel objects carry. That is enough to take it
/// down.
package struct Salvage {
  package let folders: StateFolders
  package let stack: String

  package init(folders: StateFolders, stack: String) {
    self.folders = folders
    self.stack = stack
  }

  private var folder: StackFolder { folders.stack(stack) }

  /// The record, or what is left to be seen; nil when there is nothing of the stack.
  package func recordedOrObserved() throws(KernelError) -> DesiredStack? {
    if let recorded = try StackRecord(folder).read() { return recorded }
    return try observed()
  }

  func observed() throws(KernelError) -> DesiredStack? {
    var socket = try NetlinkSocket(.route)
    let all = try socket.links()
    let links = all.filter { $0.alias.flatMap(LinkName.owner(ofAlias:)) == stack }
    let pinned = Files.list(folders.namespaces).filter { $0.hasPrefix("\(stack).") }.map {
      $0.dropFirst(stack.count + 1)
    }
    let layered = Files.list(folder.services)
    let services = Set(pinned.map(String.init) + layered).sorted()
    guard !links.isEmpty || !services.isEmpty || Files.exists(folder.intent) else { return nil }

    var found = DesiredStack.empty(named: stack)
    found.linkGroup = Self.ownGroup(of: links.map(\.group), among: all.map(\.group)) ?? 0
    // Links outside the group are deleted by name, as bridges are.
    found.networks = links.filter { found.linkGroup == 0 || $0.group != found.linkGroup }.map { link in
      DesiredNetwork(
        name: link.alias?.split(separator: "/").last.map(String.init) ?? link.name, bridge: link.name,
        mac: MACAddress(bits: 0), subnet: .everything, gateway: .any, isInternal: false, declaredAt: nil)
    }
    found.services = services.map(DesiredService.unknown(named:))
    return found
  }

  /// The device group that only links of the stack are in, and so may be deleted as a whole.
  ///
  /// - Parameters:
  ///   - own: the groups of the stack's links, each as often as there are links in it.
  ///   - all: the same of all links of the host.
  static func ownGroup(of own: [UInt32], among all: [UInt32]) -> UInt32? {
    Set(own).subtracting([0]).sorted().first { group in
      own.count { $0 == group } == all.count { $0 == group }
    }
  }

  /// Removes the records of an earlier boot. A stack folder survives a boot only if /run does.
  ///
  /// The remaining parts of the stack are then found by observing the host. So `down` removes them, and `up` makes
  /// everything anew.
  package func forgetFormerBoot() throws(KernelError) {
    guard let supervisor = try StateFile<ProcessIdentity>(path: folder.supervisor).read(),
      supervisor.bootID != (try Boot.current())
    else { return }
    try Files.remove(folder.settled)
    try StackRecord(folder).remove()
    for service in Files.list(folder.services) { try Files.remove(folder.service(service).record) }
    // Last: as long as it is there, an interrupted forgetting is taken up again.
    try Files.remove(folder.supervisor)
  }
}

extension DesiredService {
  /// A service of which nothing is known but that it was there.
  package static func unknown(named name: String) -> DesiredService {
    DesiredService(
      name: name, service: name, index: 1, containerName: nil, hostname: name, domainname: nil, root: .host,
      process: DesiredProcess(
        arguments: [], environment: [:], workingDirectory: nil, user: nil, usesInit: true, hasTerminal: false,
        keepsStdinOpen: false, isRootReadOnly: false, security: DesiredSecurity()),
      mounts: [], attachments: [],
      ports: [], readyPorts: [],
      dependencies: [], stop: StopPolicy(signal: 15, grace: .seconds(10)), restart: .no, healthCheck: nil, labels: [:],
      declaredAt: nil)
  }
}
