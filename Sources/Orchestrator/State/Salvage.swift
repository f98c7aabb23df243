import Kernel
import Netlink

/// What can be found of a stack whose record is lost, by the owner's name that all its kernel objects carry: enough to
/// take it down.
struct Salvage {
  let folders: StateFolders
  let stack: String

  private var folder: StackFolder { folders.stack(stack) }

  /// The record, or what is left to be seen; nil when there is nothing of the stack.
  func recordedOrObserved() throws(KernelError) -> DesiredStack? {
    if let recorded = try StateFile<DesiredStack>(path: folder.intent).read(), recorded.name == stack {
      return recorded
    }
    return try observed()
  }

  func observed() throws(KernelError) -> DesiredStack? {
    var socket = try NetlinkSocket(.route)
    let prefix = LinkName.alias(stack: stack, "")
    let links = try socket.links().filter { $0.alias?.hasPrefix(prefix) ?? false }
    let bridges = links.filter { $0.alias?.hasPrefix(prefix + "/") ?? false }
    let veths = links.filter { !($0.alias?.hasPrefix(prefix + "/") ?? true) }
    let pinned = Files.list(folders.namespaces).filter { $0.hasPrefix("\(stack).") }.map {
      $0.dropFirst(stack.count + 1)
    }
    let layered = Files.list(folder.services)
    let services = Set(pinned.map(String.init) + layered).sorted()
    guard !links.isEmpty || !services.isEmpty || Files.exists(folder.intent) else { return nil }

    var found = DesiredStack.empty(named: stack)
    // Only a group in which every link is the stack's own may be deleted as a whole.
    let groups = Set(veths.compactMap(\.group).filter { $0 != 0 })
    if let group = groups.first, groups.count == 1 { found.linkGroup = group }
    found.networks = bridges.map { link in
      DesiredNetwork(
        name: String(link.alias?.dropFirst(prefix.count + 1) ?? ""), bridge: link.name, mac: MACAddress(bits: 0),
        subnet: .everything, gateway: .any, isInternal: false, declaredAt: nil)
    }
    found.services = services.map(DesiredService.unknown(named:))
    return found
  }
}

extension DesiredService {
  /// A service of which nothing is known but that it was there.
  fileprivate static func unknown(named name: String) -> DesiredService {
    DesiredService(
      name: name, service: name, index: 1, containerName: nil, hostname: name, domainname: nil, root: .host,
      process: DesiredProcess(
        arguments: [], environment: [:], workingDirectory: nil, user: nil, usesInit: true, hasTerminal: false,
        keepsStdinOpen: false, isRootReadOnly: false), mounts: [], attachments: [], ports: [], readyPorts: [],
      dependencies: [], stop: StopPolicy(signal: 15, grace: .seconds(10)), restart: .no, healthCheck: nil, labels: [:],
      declaredAt: nil)
  }
}
