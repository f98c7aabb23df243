import Addresses
import Intent
import StackFiles
import Vocabulary

/// A stack as documents for a cluster.
package struct KubernetesExport: Sendable {
  /// Empty where the report refuses the stack.
  package let manifests: [Manifest]
  package let report: ExportReport
  package var files: [ExportFile] { manifests.files }

  package init(_ input: ExportInput, _ options: ExportOptions = ExportOptions()) {
    var builder = ManifestBuilder(input, options)
    let manifests = builder.build()
    report = builder.ledger.report(input.file.name.value, input.keys, absent: input.absent)
    self.manifests = report.isRefused ? [] : manifests
  }
}

/// Builds the documents, and notes what becomes of the keys meanwhile.
struct ManifestBuilder {
  let input: ExportInput
  let options: ExportOptions
  let matrix: TrafficMatrix
  var ledger = ExportLedger(.kubernetes)
  /// By service: those that live in another's pod.
  let guests: [String: [StackFile.Service]]
  var namespace: String { input.file.name.value }
  let labelsOf: [String: [String]]
  /// The content of the policies.
  let flat: [FlatPolicy]
  /// The services that somebody waits for until they are healthy.
  let awaited: Set<String>
  /// The services that run to their end, and whose end somebody waits for.
  let finishing: Set<String>
  /// The first instance of each service.
  let instances: [String: DesiredService]

  init(_ input: ExportInput, _ options: ExportOptions) {
    self.input = input
    self.options = options
    matrix = TrafficMatrix(input.stack)
    guests = Dictionary(
      grouping: input.services.filter { $0.host != nil }, by: { $0.host ?? "" })
    labelsOf = Dictionary(keepingFirst: zip(matrix.members.map(\.name), matrix.labels))
    flat = FlatPolicy.policies(of: matrix)
    awaited = Set(
      input.services.flatMap(\.dependencies).filter { $0.condition == .healthy && $0.isRequired }.map(\.service.value))
    let ended = Set(
      input.services.flatMap(\.dependencies).filter { $0.condition == .completed && $0.isRequired }.map(
        \.service.value))
    let hosts = Set(guests.keys)
    finishing = Set(
      input.services.filter { $0.host == nil && !$0.restart.isAlways }.map(\.name.value)
        .filter { ended.contains($0) && !hosts.contains($0) })
    instances = input.stack.services.keyed(by: \.service)
  }

  mutating func build() -> [Manifest] {
    checkNames()
    checkKinds()
    let services = input.services.filter { $0.host == nil }.sorted { $0.name.value < $1.name.value }
    var manifests = [
      Manifest(
        kind: "Namespace", name: namespace, places: [input.file.name.span.place], file: "namespace.yaml",
        value: KubernetesObject.value("v1", "Namespace", name: namespace, namespace: nil, [:]))
    ]
    manifests += claims(services)
    for service in services {
      manifests += workload(service)
      manifests += names(of: service)
      manifests += publications(of: service)
    }
    manifests += aliases()
    manifests += policies()
    if options.isVerifying { manifests += verification() }
    checkTwins(manifests)
    return manifests
  }

  // MARK: - Refusals

  /// A label of DNS: RFC 1123, and for Services RFC 1035, which wants a letter first.
  static func isName(_ name: String, startsWithLetter: Bool = true) -> Bool {
    guard (1...63).contains(name.utf8.count), let first = name.utf8.first, let last = name.utf8.last else {
      return false
    }
    func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    return (isLetter(first) || !startsWithLetter && isDigit(first)) && last != UInt8(ascii: "-")
      && name.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
  }

  private mutating func checkNames() {
    if !Self.isName(namespace, startsWithLetter: false) {
      ledger.note(
        "name", .refused, "\"\(namespace)\" cannot be a Namespace's name: lower case, digits and -",
        do: "give the stack another name: -p NAME", at: input.file.name.span)
    }
    for service in input.services where !Self.isName(service.name.value) {
      ledger.note(
        "services.\(service.name.value)", .refused,
        "\"\(service.name.value)\" cannot be a Service's name: a letter, then lower case, digits and -",
        do: "rename the service in the file", at: service.name.span)
    }
    for volume in input.file.volumes where !Self.isName(volume.name.value, startsWithLetter: false) {
      ledger.note(
        "volumes.\(volume.name.value)", .refused,
        "\"\(volume.name.value)\" cannot be a claim's name: lower case, digits and -",
        do: "rename the volume in the file",
        at: volume.name.span)
    }
  }

  /// Keys that are refused only with some values.
  private mutating func checkKinds() {
    for network in input.file.networks {
      let key = "networks.\(network.name.value)"
      if network.driver == nil { ledger.settle("\(key).driver", .kept, "labels of pods stand for a bridge") }
      if network.hasHost { ledger.settle("\(key).host", .kept, "it is so there too") }
      if network.external == nil { ledger.settle("\(key).external", .kept, "it is the stack's own there too") }
    }
  }

  /// Two documents of one kind and name would be one: names that `stack` keeps apart by network hold for all there.
  private mutating func checkTwins(_ manifests: [Manifest]) {
    var first: [String: Manifest] = [:]
    for manifest in manifests {
      let key = "\(manifest.kind)/\(manifest.name)"
      if let other = first[key] {
        ledger.note(
          "names.\(manifest.name)", .refused,
          "two things would be the \(manifest.kind) \(manifest.name): "
            + (other.places + manifest.places).uniqued().joined(separator: " and "),
          do: "give one of them another name in the file")
      } else if !Self.isName(manifest.name, startsWithLetter: manifest.kind == "Service") {
        ledger.note(
          "names.\(manifest.name)", .refused, "\"\(manifest.name)\" is too long for a name there",
          do: "give the service a shorter name in the file")
      }
      first[key] = first[key] ?? manifest
    }
  }

  func key(_ service: StackFile.Service, _ name: String) -> String { "services.\(service.name.value).\(name)" }

  // MARK: - Policies

  private mutating func policies() -> [Manifest] {
    notePolicies()
    let places = input.file.policies.map(\.desired).compactMap { $0.declaredAt?.description }
    let policies = flat.map { policy in
      policy.manifest(in: namespace, inner: options.innerRanges, places: places.isEmpty ? [] : [places[0]])
    }
    return policies + [resolverPolicy(places)]
  }

  /// Leave for each pod to ask the cluster for names, as services can always ask the host here. It also closes pods
  /// that no other policy selects, such as replicas that are added later.
  private func resolverPolicy(_ places: [String]) -> Manifest {
    let ports = OutputValue.list(
      ["UDP", "TCP"].map { .mapping(["protocol": .text($0), "port": .number(53)]) })
    let resolver = OutputValue.mapping([
      "namespaceSelector": .mapping(["matchLabels": .texts(["kubernetes.io/metadata.name": "kube-system"])]),
      "podSelector": .mapping(["matchLabels": .texts(["k8s-app": "kube-dns"])]),
    ])
    // NodeLocal DNSCache answers on this address of each node.
    let local = OutputValue.mapping(["ipBlock": .mapping(["cidr": .text("169.254.20.10/32")])])
    let value = KubernetesObject.value(
      "networking.k8s.io/v1", "NetworkPolicy", name: "names", namespace: namespace,
      [
        "spec": .mapping([
          "podSelector": .mapping([]), "policyTypes": .texts(["Ingress", "Egress"]),
          "egress": .list([.mapping(["to": .list([resolver, local]), "ports": ports])]),
        ])
      ])
    return Manifest(kind: "NetworkPolicy", name: "names", places: [], file: "policies.yaml", value: value)
  }
}

extension StackFile.Service {
  /// The service whose network namespace it is in.
  var host: String? {
    if case .service(let name) = networkMode?.value { name } else { nil }
  }
}
