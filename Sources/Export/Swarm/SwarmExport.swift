import Addresses
import Intent
import Rules
import StackFiles
import Vocabulary

/// A stack as a file for `docker stack deploy` (Compose file version 3.9).
package struct SwarmExport: Sendable {
  /// Empty where the report refuses the stack.
  package let text: String
  package let report: ExportReport
  /// Files that the text names, which are to be beside it.
  package let files: [ExportFile]

  package init(_ input: ExportInput, _ options: ExportOptions = ExportOptions()) {
    var builder = SwarmBuilder(input, options)
    let value = builder.build()
    report = builder.ledger.report(input.file.name.value, input.keys, absent: input.absent)
    let place = Shell.comment("from \(input.file.name.span.place), for docker stack deploy")
    text = report.isRefused ? "" : "\(place)\n\(value.yaml)"
    files = report.isRefused ? [] : builder.files.sorted { $0.name < $1.name }
  }
}

struct SwarmBuilder {
  let input: ExportInput
  let options: ExportOptions
  var ledger = ExportLedger(.swarm)
  /// Files that services bind, by the names of configs and secrets.
  var configs: [String: String] = [:]
  var secrets: [String: String] = [:]
  /// The contents that the stack file holds itself: `docker stack` takes contents from files alone.
  var files: [ExportFile] = []

  init(_ input: ExportInput, _ options: ExportOptions) { (self.input, self.options) = (input, options) }

  mutating func build() -> OutputValue {
    checkPolicies()
    checkNetworks()
    let services = input.services.sorted { $0.name.value < $1.name.value }.flatMap { entries($0) }
    let networks = input.stack.networks.sorted { $0.name < $1.name }.map { network in
      OutputValue.Entry(key: network.name, value: self.network(network.name))
    }
    let volumes = input.file.volumes.sorted { $0.name.value < $1.name.value }.map { volume in
      noteVolume(volume)
      let labels = Dictionary(keepingFirst: volume.labels.map { ($0.name.value, Self.literal($0.value)) })
      return OutputValue.Entry(
        key: volume.name.value,
        value: .mapping([
          "external": volume.external == nil ? nil : .bool(true),
          "name": volume.sharedName.map { .text(Self.literal($0)) },
          "driver_opts": volume.mounted.map { source in
            .mapping([
              "type": .text(Self.literal(source.type)),
              "device": source.device.isEmpty ? nil : .text(Self.literal(source.device)),
              "o": source.options.isEmpty ? nil : .text(Self.literal(source.options)),
            ])
          }, "labels": labels.isEmpty || volume.external != nil ? nil : .texts(labels),
        ]))
    }
    func files(_ paths: [String: String]) -> OutputValue? {
      paths.isEmpty
        ? nil
        : .mapping(
          paths.sorted { $0.key < $1.key }.map { name, path in
            .init(key: name, value: .mapping(["name": .text(name), "file": .text(Self.literal(path))]))
          })
    }
    return .mapping([
      "version": .text("3.9"), "services": .mapping(services),
      "networks": networks.isEmpty ? nil : .mapping(networks), "volumes": volumes.isEmpty ? nil : .mapping(volumes),
      "configs": files(configs), "secrets": files(secrets),
    ])
  }

  func key(_ service: StackFile.Service, _ name: String) -> String { "services.\(service.name.value).\(name)" }

  /// `docker stack deploy` replaces variables.
  static func literal(_ text: String) -> String { text.replacing("$", with: "$$") }
  static func literals(_ texts: some Sequence<String>) -> OutputValue { .texts(texts.map(literal)) }

  // MARK: - What is refused

  private mutating func checkPolicies() {
    guard !TrafficMatrix.isGivenByNetworks(input.stack) else { return }
    let key = input.file.policies.isEmpty ? "networks" : "policies"
    ledger.note(
      key, .refused, "Swarm has no policies, and networks alone would let more pass, or less",
      do: "put services that may meet on a network of their own, and no others on it; or use Kubernetes",
      at: input.file.name.span)
  }

  private mutating func checkNetworks() {
    for network in input.file.networks {
      let key = "networks.\(network.name.value)"
      if network.driver == nil { ledger.settle("\(key).driver", .changed, "an overlay network") }
      if network.hasHost { ledger.settle("\(key).host", .kept, "it is so there too") }
      if network.external == nil {
        ledger.settle("\(key).external", .kept, "it is the stack's own there too")
      } else {
        ledger.note(
          key, .changed, "an overlay network that is there before",
          do: "docker network create -d overlay --attachable \(network.nameElsewhere)", at: network.name.span)
      }
    }
  }

  // MARK: - Networks and volumes

  private mutating func network(_ name: String) -> OutputValue {
    guard let network = input.file.networks[name] else { return .mapping([]) }
    guard network.external == nil else {
      return .mapping(["external": .bool(true), "name": .text(Self.literal(network.nameElsewhere))])
    }
    let labels = Dictionary(keepingFirst: network.labels.map { ($0.name.value, Self.literal($0.value)) })
    let configuration = network.subnet.map { subnet in
      OutputValue.mapping(["config": .list([.mapping(["subnet": .text("\(subnet.value)")])])])
    }
    return .mapping([
      "name": network.givenName.map { .text(Self.literal($0.value)) }, "driver": .text("overlay"),
      "attachable": .bool(true), "internal": network.isInternal ? .bool(true) : nil,
      "driver_opts": network.mtu.map { .mapping(["com.docker.network.driver.mtu": .text("\($0.value)")]) },
      "ipam": configuration, "labels": labels.isEmpty ? nil : .texts(labels),
    ])
  }

  private mutating func noteVolume(_ volume: StackFile.Volume) {
    guard volume.mounted == nil else { return }
    let words = volume.external == nil ? "each node has a folder of its own" : "each node has a volume of that name"
    ledger.note(
      "volumes.\(volume.name.value)", .changed, words,
      do: "keep its services on one node by a placement constraint, or use a volume driver that shares",
      at: volume.name.span)
  }
}

extension StackFile.Network {
  /// The name of one that is there before.
  fileprivate var nameElsewhere: String { givenName?.value ?? name.value }
}
