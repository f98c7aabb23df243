import Addresses
import Host
import Intent
import Kernel
import Resolve
import StackFiles
import Vocabulary

/// A stack file that was read and found good.
package struct LoadedStack: Sendable {
  private(set) var file: StackFile
  /// The services that are to run: those in no profile, and in the profiles asked for; or those asked for by name.
  private(set) var services: [StackFile.Service]
  /// The names of the services that were asked for by name, with what they depend on; nil when all are meant.
  let named: Set<String>?
  let variables: [VariableUse]
  /// The keys that the files have.
  let keys: [UsedKey]
  /// Warnings and notes, each ready to be printed.
  package let notes: [String]

  package var name: String { file.name.value }
  /// Of the file that gives it its name.
  var path: String { file.path }
  /// Those in no active profile, too.
  var allServices: [StackFile.Service] { file.services.map(\.self) }
  package var allServiceNames: Set<String> { Set(file.services.names) }
  package var builtServiceNames: [String] { file.services.filter { $0.build != nil }.map(\.name.value) }
  package var serviceNames: [String] { services.map(\.name.value) }
  /// The names of the services that are to run.
  var instanceKeys: Set<String> { Set(services.map(\.name.value)) }
  /// Services, and each of their replicas by its own name.
  package var instanceNames: [String] {
    services.flatMap { service in
      [service.name.value] + (1...max(service.scale.value, 1)).map { "\(service.name.value)-\($0)" }
    }
  }
  /// The names of networks of others that it joins.
  var joinedNetworks: [String] {
    file.networks.filter { $0.external != nil }.map { ($0.givenName ?? $0.name).value }
  }
  package var networkNames: [String] { file.networks.names }
  package var volumeNames: [String] { file.volumes.names }
  /// The images that its services run from, each once.
  package var imageNames: [String] {
    var names: [String] = []
    for name in services.compactMap(\.imageName) where !names.contains(name) { names.append(name) }
    return names
  }
  /// A number for each service that changes with what the file says of it.
  package var hashes: [(name: String, hash: String)] {
    services.map { service in
      (service.name.value, String(StableHash("service", file.text(of: service)).value, radix: 16))
    }
  }
  /// Every profile that a service of the file is in.
  package var profiles: [String] { Set(file.services.flatMap(\.profileNames)).sorted() }
  /// The stack as it is understood, in one form whatever the file's.
  package var yaml: String { file.output.yaml }
  package var json: String { file.output.prettyJSON }
  /// The variables that the file refers to: name, whether it is required, what stands in for it.
  package var variableRows: [[String]] {
    variables.map { [$0.name, $0.isRequired ? "yes" : "no", $0.defaultValue ?? "-"] }
  }

  /// Two folders of one name, or two files, may well be two stacks that know nothing of each other.
  ///
  /// - Throws: that the stack came up from another file, which is still there, and would lose services that only that one has.
  func checkOrigin(of recorded: DesiredStack) throws(StackErrors) {
    let path = file.path
    guard recorded.file.hasPrefix("/"), Files.exists(recorded.file), !Files.isSame(recorded.file, path) else { return }
    let foreign = Set(recorded.services.map(\.service)).subtracting(file.services.names).sorted()
    guard !foreign.isEmpty else { return }
    throw StackErrors([
      StackError(
        name, "is up from \(recorded.file), and \(foreign.joined(separator: ", ")) is not in \(path)",
        remedy: "give this one another name, -p NAME, or take that one down: stack down \(name)")
    ])
  }

  /// The same with other values for some services.
  func replacing(_ changed: [StackFile.Service]) -> LoadedStack {
    let byName = Dictionary(changed.map { ($0.name.value, $0) }, uniquingKeysWith: { $1 })
    var loaded = self
    loaded.services = services.map { byName[$0.name.value] ?? $0 }
    for service in changed { loaded.file.services[service.name.value] = service }
    return loaded
  }

  /// The instances of what the services that were asked for by name depend on; those of all services where all were asked for.
  func dependencies(in desired: DesiredStack) -> Set<String> {
    guard let named else { return Set(desired.services.map(\.name)) }
    let needed = Set(services.filter { named.contains($0.name.value) }.flatMap { $0.dependencies.map(\.service.value) })
    return Set(desired.services.filter { needed.contains($0.service) }.map(\.name))
  }

  /// The services that its services depend on, directly or by others.
  package func dependencies(of names: Set<String>) -> Set<String> {
    var found: Set<String> = []
    var open = names
    while let name = open.popFirst() {
      let next = services.first { $0.name.value == name }?.dependencies.map(\.service.value) ?? []
      open.formUnion(Set(next).subtracting(found))
      found.formUnion(next)
    }
    return found
  }

  /// True if a service is one of those that are meant.
  package func isAbout(_ service: String) -> Bool { named?.contains(service) ?? true }

  /// The stack with the services that are up, too, when only some were asked for by name. These others keep their
  /// numbers of replicas.
  func joined(by recorded: DesiredStack?) -> LoadedStack {
    guard let named, let recorded else { return self }
    let present = Dictionary(grouping: recorded.services, by: \.service)
    var whole = self
    whole.services = file.services.compactMap { service in
      guard !named.contains(service.name.value) else { return service }
      guard let instances = present[service.name.value] else { return nil }
      var other = service
      other.scale.value = instances.count
      return other
    }
    return whole
  }

  /// The facts that choosing needs of the host.
  func question(previous: DesiredStack?, pools: [IPv4Prefix], folders: StateFolders) -> HostQuestion {
    var question = HostQuestion(stack: name, pools: pools, folders: folders)
    question.linkGroup = previous?.linkGroup
    question.links = previous?.hostLinks ?? []
    question.gateways = previous?.networks.flatMap(\.hostAddresses) ?? []
    question.paths = paths(in: folders.stack(name))
    question.ports = hostPorts
    question.parents = Set(file.networks.compactMap(\.parent?.value))
    question.joinsVolumes = file.volumes.contains { $0.sharedName != nil }
    question.hostLinks = Set(file.links.compactMap(\.hostLink?.value))
    question.joinsNetworks = file.networks.contains { $0.external != nil }
    (question.needsEmulator, question.hasVLANs) = (needsEmulator, hasVLANs)
    return question
  }

  /// True if a link needs netem.
  private var needsEmulator: Bool {
    services.contains { $0.attachments.contains { $0.conditions.conditions.needsEmulator } }
      || file.links.contains { link in
        link.declared(from: link.first, to: link.second).condition.needsEmulator
          || link.declared(from: link.second, to: link.first).condition.needsEmulator
      }
  }

  /// True if some network has VLANs.
  private var hasVLANs: Bool {
    file.networks.contains { !$0.vlans.isEmpty } || services.contains { $0.attachments.contains { $0.vlan != nil } }
  }

  /// The paths of the host that its services see.
  private func paths(in folder: StackFolder) -> Set<String> {
    Set(
      file.withAllMounts(services).flatMap { IdentityFacts.places(of: $0, in: folder).map(\.path) } + [
        folder.hostRootOnDisk
      ])
  }

  /// Every host port that the file asks for by number.
  private var hostPorts: Set<UInt16> {
    Set(
      services.flatMap(\.ports).flatMap { port -> [UInt16] in
        switch port.host {
        case .free: []
        case .oneOf(let range), .fixed(let range): Array(range)
        }
      })
  }
}
