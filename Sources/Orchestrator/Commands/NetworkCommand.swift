import Addresses
import Host
import Intent
import Kernel
import StackFiles
import Vocabulary

/// Networks that belong to no stack of a file. Stacks join them by `external: true`.
///
/// Each is a stack of its own without services: so it has a bridge, a firewall and a name server as all networks have.
package struct NetworkCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// The properties of a new network.
  package struct Options: Sendable {
    package var subnets: [String] = []
    package var gateways: [String] = []
    package var range: String?
    package var isInternal = false
    package var hasIPv6 = false
    package var mtu: String?
    /// `NAME=value`
    package var labels: [String] = []

    package init() {}
  }

  /// A network of this host.
  package struct Entry: Sendable, Encodable {
    /// The name that files of other stacks join it by.
    package var name: String
    package var stack: String
    package var driver: String
    package var subnet: String
    package var subnet6: String?
    package var gateway: String?
    package var bridge: String?
    package var isInternal: Bool
    /// True for one of `stack network create`.
    package var isCreated: Bool
    /// The services on it, as `stack/service`, with their addresses.
    package var services: [String: String]

    private enum CodingKeys: String, CodingKey {
      case name = "Name", stack = "Stack", driver = "Driver", subnet = "Subnet", subnet6 = "SubnetIPv6"
      case gateway = "Gateway", bridge = "Bridge", isInternal = "Internal", isCreated = "Created", services = "Services"
    }
  }

  /// Makes a network.
  ///
  /// - Throws: that there is one of that name, or what is wrong with the options.
  package func create(_ name: String, _ options: Options) throws {
    if let problem = NameRule.object.problem(with: name) {
      throw StackErrors([StackError(nil, "\"\(name)\" cannot name a network: a network's name \(problem.words)")])
    }
    guard try !entries().contains(where: { $0.name == name }) else {
      throw StackErrors([StackError(nil, "there is a network \(name) already", remedy: "see stack network ls")])
    }
    let file = Self.file(name, in: folders)
    try rethrowing(nil) { () throws(KernelError) in
      try Files.makeFolder(folders.networks, mode: 0o700)
      try Files.overwrite(file, with: [UInt8](Self.text(name, options).utf8), mode: [.ownerReadWrite])
    }
    do {
      try bringUp(name)
    } catch {
      try? Files.remove(file)
      throw error
    }
  }

  /// Makes networks that a file joins, and that were made before the host was started.
  func bringUpJoined(by source: LoadedStack) throws(StackErrors) {
    for name in source.joinedNetworks where Files.exists(Self.file(name, in: folders)) {
      guard !Files.exists(folders.stack(Self.stack(of: name)).settled) else { continue }
      do {
        try bringUp(name)
      } catch let errors as StackErrors {
        throw errors
      } catch {
        throw StackErrors([StackError(nil, "cannot make network \(name): \(error)")])
      }
    }
  }

  private func bringUp(_ name: String) throws {
    var request = LoadRequest(paths: [Self.file(name, in: folders)])
    request.name = Self.stack(of: name)
    let event = try UpCommand(context).run(try context.load(request), UpCommand.Options()) { _ in }
    guard event.kind == .finished else { throw StackErrors(event.errors) }
  }

  /// All networks of this host, by name.
  package func entries() throws(StackErrors) -> [Entry] {
    var stacks: [DesiredStack] = []
    for name in index.names() {
      if let desired = try rethrowing(name, { () throws(KernelError) in try index.desired(name) }) {
        stacks.append(desired)
      }
    }
    return stacks.flatMap { stack in stack.ownNetworks.map { entry(for: $0, of: stack, among: stacks) } }
      .sorted { ($0.name, $0.stack) < ($1.name, $1.stack) }
  }

  private func entry(for network: DesiredNetwork, of stack: DesiredStack, among stacks: [DesiredStack]) -> Entry {
    var services: [String: String] = [:]
    for other in stacks {
      for service in other.services {
        for attachment in service.attachments
        where other.network(named: attachment.network)?.bridge == network.bridge {
          services["\(other.name)/\(service.name)"] = "\(attachment.address)"
        }
      }
    }
    let driver =
      switch network.kind {
      case .bridge: "bridge"
      case .vxlan: "vxlan"
      case .macvlan: "macvlan"
      }
    return Entry(
      name: network.givenName ?? "\(stack.name)_\(network.name)", stack: stack.name, driver: driver,
      subnet: "\(network.subnet)", subnet6: network.ipv6.map { "\($0.subnet)" },
      gateway: network.hasHost ? "\(network.gateway)" : nil, bridge: network.hasBridge ? network.bridge : nil,
      isInternal: network.isInternal, isCreated: stack.file == Self.file(network.givenName ?? "", in: folders),
      services: services)
  }

  /// Networks as JSON, in the order of their names.
  package func inspect(_ names: [String]) throws(StackErrors) -> String { try entries().described(names) }

  /// Removes networks that were made by ``create(_:_:)``.
  ///
  /// - Throws: that one is another stack's, or that services are on it.
  package func remove(_ name: String) throws(StackErrors) {
    let file = Self.file(name, in: folders)
    guard Files.exists(file) else {
      let found = try entries().entry(named: name)
      throw StackErrors([
        StackError(
          nil, "network \(name) is stack \(found.stack)'s, and goes with it", remedy: "stack down \(found.stack)")
      ])
    }
    let stack = Self.stack(of: name)
    let event = try DownCommand(context).run(stack, removeVolumes: true, timeout: nil) { _ in }
    guard event.kind == .finished else { throw StackErrors(event.errors) }
    try rethrowing(nil) { () throws(KernelError) in try Files.remove(file) }
    Files.removeIfEmpty(folders.networks)
  }

  /// Removes all that were made by ``create(_:_:)`` and that nobody is on.
  ///
  /// - Returns: their names.
  package func prune() throws(StackErrors) -> [String] {
    let idle = try entries().filter { $0.isCreated && $0.services.isEmpty }.map(\.name)
    for name in idle { try remove(name) }
    return idle
  }

  // MARK: The stack behind it

  /// The name of the stack that has the network. A name with other letters than a stack's has a number in theirs.
  static func stack(of name: String) -> String {
    let plain = "network-\(name)"
    guard NameRule.stack.problem(with: plain) != nil else { return plain }
    return "network-" + StableHash(name).tag.lowercased()
  }

  private static func file(_ name: String, in folders: StateFolders) -> String { "\(folders.networks)/\(name).stack" }

  private static func text(_ name: String, _ options: Options) -> String {
    func value(_ text: String) -> OutputValue {
      .text(text.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$"))
    }
    let subnets =
      options.subnets.isEmpty && (options.range != nil || !options.gateways.isEmpty) ? [""] : options.subnets
    let config: [OutputValue] = subnets.enumerated().map { index, subnet in
      .mapping([
        "subnet": subnet.isEmpty ? nil : value(subnet),
        "gateway": index < options.gateways.count ? value(options.gateways[index]) : nil,
        "ip_range": index == 0 ? options.range.map(value) : nil,
      ])
    }
    let labels = options.labels.map { label in
      let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      return OutputValue.Entry(key: parts[0], value: value(parts.count == 2 ? parts[1] : ""))
    }
    let network: OutputValue = .mapping([
      "name": value(name), "internal": options.isInternal ? .bool(true) : nil,
      "enable_ipv6": options.hasIPv6 ? .bool(true) : nil, "mtu": options.mtu.map(value),
      "ipam": config.isEmpty ? nil : .mapping(["config": .list(config)]),
      "labels": labels.isEmpty ? nil : .mapping(labels),
    ])
    // A stack has a service at least. This one never runs.
    let idle: OutputValue = .mapping(["command": .text("true"), "profiles": .list([.text("never")])])
    return OutputValue.mapping([
      "services": .mapping(["none": idle]), "networks": .mapping(["network": network]),
    ]).yaml
  }
}

extension NetworkCommand.Entry: NamedEntry {
  static let kind = "network"

  func isMeant(by name: String) -> Bool { name == self.name || name == "\(stack)/\(self.name)" }
}
