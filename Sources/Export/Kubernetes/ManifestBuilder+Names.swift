import Addresses
import Intent
import Rules
import StackFiles
import Vocabulary

extension ManifestBuilder {
  /// A Service without an address of its own: its name leads to the pods themselves, as names do in `stack`.
  private func headless(
    _ name: String, selecting labels: [String: String], isReadyOnly: Bool = false, place: String, file: String
  ) -> Manifest {
    var selector = labels
    selector[StackLabel.runs] = StackLabel.yes
    let value = KubernetesObject.value(
      "v1", "Service", name: name, namespace: namespace,
      [
        "spec": .mapping([
          "clusterIP": .text("None"), "publishNotReadyAddresses": isReadyOnly ? nil : .bool(true),
          "selector": .texts(selector),
        ])
      ])
    return Manifest(kind: "Service", name: name, places: [place], file: file, value: value)
  }

  /// Its own name, those of its replicas, and the one that only ready pods have.
  mutating func names(of service: StackFile.Service) -> [Manifest] {
    let name = service.name.value
    let (place, file) = (service.name.span.place, "\(name).yaml")
    let own = [StackLabel.service: name]
    var manifests = [headless(name, selecting: own, place: place, file: file)]
    for guest in guests[name] ?? [] {
      manifests.append(headless(guest.name.value, selecting: own, place: guest.name.span.place, file: file))
    }
    if service.scale.value > 1 {
      manifests += (1...service.scale.value).map { index in
        headless("\(name)-\(index)", selecting: [StackLabel.pod: "\(name)-\(index)"], place: place, file: file)
      }
    }
    let isAwaited = ([name] + (guests[name] ?? []).map(\.name.value)).contains { awaited.contains($0) }
    if isAwaited {
      manifests.append(headless("\(name)-ready", selecting: own, isReadyOnly: true, place: place, file: file))
    }
    if finishing.contains(name) {
      for (index, end) in Self.namesOfEnds(of: service).enumerated() {
        manifests.append(
          headless(
            end, selecting: [StackLabel.pod: "\(name)-\(index + 1)"], isReadyOnly: true, place: place, file: file))
      }
    }
    return manifests
  }

  /// Further names: aliases, container names and host names. Several services may share one.
  mutating func aliases() -> [Manifest] {
    var places: [String: String] = [:]
    var order: [String] = []
    for service in input.services {
      for alias in further(names: service) {
        guard Self.isName(alias.name) else {
          ledger.note(
            alias.key, .lost, "\"\(alias.name)\" cannot be a Service's name", do: "use the name \(service.name.value)")
          continue
        }
        guard alias.name != service.name.value else { continue }
        if places[alias.name] == nil { order.append(alias.name) }
        places[alias.name] = places[alias.name] ?? alias.place
      }
    }
    return order.sorted().map { name in
      headless(
        name, selecting: [StackLabel.alias(name): StackLabel.yes], place: places[name] ?? "", file: "names.yaml")
    }
  }

  private struct FurtherName {
    var name: String
    var key: String
    var place: String
  }

  private func further(names service: StackFile.Service) -> [FurtherName] {
    var names = service.attachments.flatMap { attachment in
      attachment.aliases.map {
        FurtherName(
          name: $0.value, key: key(service, "networks.\(attachment.network.value).aliases"), place: $0.span.place)
      }
    }
    for (key, name) in [("container_name", service.containerName), ("hostname", service.hostname)] {
      if let name { names.append(FurtherName(name: name.value, key: self.key(service, key), place: name.span.place)) }
    }
    return names
  }

  /// The labels by which further names find the pods of a service.
  func aliasLabels(of service: StackFile.Service) -> [String] {
    ([service] + (guests[service.name.value] ?? [])).flatMap { member in
      further(names: member).map(\.name).filter { Self.isName($0) && $0 != member.name.value }
    }.uniqued().map(StackLabel.alias)
  }

  // MARK: - Published ports

  /// A load balancer for each set of sources.
  mutating func publications(of service: StackFile.Service) -> [Manifest] {
    let members = [service] + (guests[service.name.value] ?? [])
    var groups: [[IPPrefix]: [(port: StackFile.PublishedPort, owner: StackFile.Service)]] = [:]
    var order: [[IPPrefix]] = []
    for member in members {
      for port in member.ports where !isForHostAlone(port, of: member) {
        let sources = (port.sources ?? []).map(\.value).sorted()
        if groups[sources] == nil { order.append(sources) }
        groups[sources, default: []].append((port, member))
      }
    }
    if !order.isEmpty, service.networkMode?.value == .host {
      ledger.note(key(service, "ports"), .changed, "the service is on the node's network: its ports are the node's")
      return []
    }
    return order.enumerated().compactMap { number, sources in
      let entries = groups[sources] ?? []
      var places: [String] = []
      var seen: Set<String> = []
      var ports: [OutputValue] = []
      for (port, owner) in entries {
        places.append(port.span.place)
        note(port, of: owner)
        for pair in port.pairs {
          let outer = Int(pair.host ?? pair.container)
          let transport = port.transport.rawValue.uppercased()
          let name = "\(port.transport.rawValue)-\(outer)"
          guard seen.insert(name).inserted else { continue }
          ports.append(
            .mapping([
              "name": .text(name), "port": .number(outer), "protocol": .text(transport),
              "targetPort": .number(Int(pair.container)),
            ]))
        }
      }
      let name = "\(service.name.value)-published" + (number == 0 ? "" : "-\(number + 1)")
      let value = KubernetesObject.value(
        "v1", "Service", name: name, namespace: namespace,
        [
          "spec": .mapping([
            "type": .text("LoadBalancer"),
            // Else the node's address takes the place of the client's.
            "externalTrafficPolicy": .text("Local"),
            "loadBalancerSourceRanges": sources.isEmpty ? nil : .texts(sources.map(\.description)),
            "selector": .texts([StackLabel.service: service.name.value, StackLabel.runs: StackLabel.yes]),
            "ports": .list(ports),
          ])
        ])
      return Manifest(
        kind: "Service", name: name, places: places.uniqued(), file: "\(service.name.value).yaml", value: value)
    }
  }

  /// True for one on a loopback address. Published to everybody, it would be open to those that it was closed to.
  private mutating func isForHostAlone(_ port: StackFile.PublishedPort, of service: StackFile.Service) -> Bool {
    guard let address = port.address, address.isLoopback else { return false }
    ledger.note(
      key(service, "ports"), .lost, "ports on \(address) are for the host alone, and are not published there",
      do: "reach it by `kubectl port-forward`")
    return true
  }

  private mutating func note(_ port: StackFile.PublishedPort, of service: StackFile.Service) {
    let key = key(service, "ports")
    ledger.note(key, .kept, "a Service of type LoadBalancer, and policies")
    if let address = port.address {
      ledger.note(
        key, .lost, "a load balancer has its own address, not \(address)",
        do: "choose it by annotations of the Service, or close it with `from:`")
    }
    switch port.host {
    case .fixed: break
    case .free, .oneOf:
      ledger.note(key, .changed, "the load balancer has the service's own port, since no host port is fixed")
    }
  }
}
