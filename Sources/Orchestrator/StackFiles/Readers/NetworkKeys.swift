import Addresses
import Vocabulary

/// The keys of a network.
enum NetworkKeys {
  static let table = KeyTable<StackFile.Network>("network", addresses + rest)

  private typealias Key = KeyTable<StackFile.Network>.Key

  /// The same in the short form as in `ipam: config:`.
  private static let addresses: [Key] = [
    .read("subnet", "its addresses: 10.1.0.0/24") { field, network in
      if field.isIPv6 {
        setOnce(field, &network.subnet6) { $0.subnet6() }
      } else {
        setOnce(field, &network.subnet) { $0.subnet() }
      }
    },
    .read("gateway", "the bridge's own address; the first of the subnet") { field, network in
      if field.isIPv6 {
        setOnce(field, &network.gateway6) { $0.ipv6Address() }
      } else {
        setOnce(field, &network.gateway) { $0.ipv4Address() }
      }
    },
    .read("ip_range", "the part of the subnet to give addresses from") { field, network in
      setOnce(field, &network.addressRange) { $0.prefix() }
    },
  ]

  private static let rest: [Key] =
    [
      .read("name", "its name on the host, when not the key") { field, network in
        network.givenName = field.nonEmptyText()
      }.optional,
      .read("driver", "bridge, macvlan or vxlan") { field, network in
        // A bridge is the default, so it is not stored.
        network.driver = field.choice(StackFile.Network.Driver.self).flatMap { $0.value == .bridge ? nil : $0 }
      }.optional,
      .read("vlans", "VLANs with subnets of their own: {10: 10.1.10.0/24}") { field, network in
        network.vlans = field.vlans()
      },
      .read("parent", "macvlan: the link of the host that it is on") { field, network in
        setOnce(field, &network.parent) { $0.interfaceName() }
      },
      .read("id", "vxlan: the number that both hosts give it") { field, network in
        network.tunnelID = field.integer(in: 1...16_777_215)
      },
      .read("remote", "vxlan: the other host's address") { field, network in network.remote = field.hostAddress() },
      .read("local", "vxlan: this host's address; what the route to the other one says") { field, network in
        network.local = field.hostAddress()
      },
      .read("port", "vxlan: the UDP port; 4789") { field, network in
        network.tunnelPort = field.integer(in: 1...65535)
      },
      .read("ipam", "subnet, gateway and range, as Compose writes it") { field, network in
        ipam.read(field, into: &network)
      },
      .read("internal", "true: no way out of the host") { field, network in
        network.isInternal = field.boolean() ?? false
      },
      .read("host", "false: the host has no address in it, and its subnet may be another network's too") {
        field, network in
        network.host = field.boolean().map { Located($0, field.span) }
      },
      .read("default", "allow or deny: what no rule of `policies:` is about") { field, network in
        network.defaultAction = field.choice(PolicyRule.Action.self)?.value ?? .allow
      },
      .read("labels", "for people and programs to find it by") { field, network in network.labels = field.labels() },
      .read("enable_ipv4", "true") { field, _ in
        if field.boolean() == false {
          field.report(.notSupported, "a network without IPv4 is not supported", help: ["leave it out"])
        }
      },
      .read("enable_ipv6", "true: IPv6 beside IPv4") { field, network in
        network.ipv6 = field.boolean().map { Located($0, field.span) }
      },
      .read("external", "true: another stack's, by its name: web_front or web/front") { field, network in
        // Compose's former way to give the name.
        if field.node.entries != nil {
          network.external = field.key
          externalName.read(field, into: &network)
        } else if field.boolean() == true {
          network.external = field.key
        }
      },
      .ignored("attachable", "there is no Swarm"),
      .read("mtu", "the largest packet in octets; 1500") { field, network in
        setOnce(field, &network.mtu) { $0.mtu() }
      },
      .read("driver_opts", "the MTU and the parent, as Compose writes them") { field, network in
        options.read(field.withoutOtherOptions(Set(options.keys.map(\.name))), into: &network)
      },
    ]

  private static let externalName = KeyTable<StackFile.Network>(
    "external network",
    [.read("name", "its name") { field, network in setOnce(field, &network.givenName) { $0.nonEmptyText() } }])

  /// Of Docker's options those that mean something here.
  private static let options = KeyTable<StackFile.Network>(
    "network's driver_opts",
    [
      .read("com.docker.network.driver.mtu", "the largest packet in octets; 1500") { field, network in
        setOnce(field, &network.mtu) { $0.mtu() }
      },
      .read("parent", "macvlan: the link of the host that it is on") { field, network in
        setOnce(field, &network.parent) { $0.interfaceName() }
      },
      .read("macvlan_mode", "bridge") { field, _ in _ = field.choice(MacvlanMode.self) },
      .ignored("com.docker.network.bridge.name", "the bridge's name is chosen so that it is free"),
      .read("com.docker.network.bridge.enable_icc", "false: its services do not reach each other") { field, network in
        network.isolatesServices = field.boolean() == false
      },
      .read("com.docker.network.bridge.enable_ip_masquerade", "false: packets leave with the services' addresses") {
        field, network in network.masquerades = field.boolean() ?? true
      },
    ])

  private enum MacvlanMode: String, CaseIterable { case bridge }
  private enum AddressDriver: String, CaseIterable { case standard = "default" }

  private static let ipam = KeyTable<StackFile.Network>(
    "ipam",
    [
      .read("driver", "default") { field, _ in _ = field.choice(AddressDriver.self) },
      .read("config", "one subnet with its details, and one of IPv6") { field, network in
        var families: Set<Bool> = []
        for item in field.items() ?? [] {
          let isIPv6 = (item.node["subnet"]?.scalar?.text).map { $0.contains(":") } ?? false
          guard families.insert(isIPv6).inserted else {
            item.report(
              .notSupported, "a network has one subnet of IPv4 and one of IPv6", help: ["make a second network"])
            continue
          }
          config.read(item, into: &network)
        }
      },
      .ignored("options", "it is for Docker's address drivers"),
    ])

  private static let config = KeyTable<StackFile.Network>(
    "ipam config",
    addresses + [
      .read("aux_addresses", "addresses that no service is given, by their names: {router: 10.1.0.2}") {
        field, network in
        for entry in field.entries() ?? [] {
          if let address = field.entry(entry).ipv4Address() { network.reserved.append(address) }
        }
      }
    ])

  /// The short form and `ipam:` say the same thing: not both.
  private static func setOnce<Value>(
    _ field: Field, _ property: inout Located<Value>?, _ read: (Field) -> Located<Value>?
  ) {
    if let first = property {
      field.report(
        .conflictingKeys, "\"\(field.name)\" is given twice", "again here",
        also: [Diagnostic.Label(first.span, "first here")])
      return
    }
    property = read(field)
  }
}

extension Field {
  /// Without options that mean something to Docker alone. Those that may say what is so anyway are passed over.
  fileprivate func withoutOtherOptions(_ known: Set<String>) -> Field {
    var node = node
    for entry in node.entries ?? [] where !known.contains(entry.key.value) {
      report(
        .ignoredKey, "the option \"\(Self.shortened(entry.key.value))\" has no effect: it is for Docker's drivers",
        at: entry.key.span)
      node = node.without(entry.key.value)
    }
    return with(node)
  }

  /// `address/length`
  func prefix() -> Located<IPv4Prefix>? {
    guard let text = nonEmptyText() else { return nil }
    if let prefix = IPv4Prefix(text.value) { return Located(prefix, text.span) }
    if IPv6Prefix(text.value) != nil {
      report(
        .notSupported, "\"\(name)\" of IPv6 is not supported",
        help: ["leave it out: a service's IPv6 address ends in the same number as its IPv4 address"])
      return nil
    }
    let parts = text.value.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    var question = ""
    if let address = IPv4Address(parts[0]) {
      let length = parts.count == 2 ? Int(parts[1]) : 24
      if let meant = length.flatMap({ IPv4Prefix(containing: address, length: $0) }) {
        question = "did you mean \"\(meant)\"?"
      }
    }
    report(
      .badSubnet, "\"\(Self.shortened(text.value))\" is not a subnet", question,
      help: ["write the network's address and its length: 10.1.0.0/24"])
    return nil
  }

  /// An address that one host has.
  func hostAddress() -> Located<IPAddress>? {
    guard let text = nonEmptyText() else { return nil }
    guard let address = IPAddress(text.value) else {
      report(
        .badAddress, "\"\(Self.shortened(text.value))\" is not an address", help: ["write one: 192.0.2.7, 2001:db8::7"])
      return nil
    }
    guard let first = address.octets.first, !address.octets.allSatisfy({ $0 == 0 }),
      first < (address.octets.count == 4 ? 224 : 255)
    else {
      report(.badAddress, "\(address) is no single host's address")
      return nil
    }
    return Located(address, text.span)
  }

  /// From the least that IPv4 allows (RFC 791) to the most that a veth takes.
  func mtu() -> Located<Int>? { integer(in: 68...65535) }

  func reportNoRoom(in subnet: IPPrefix) {
    context.diagnostics.add(Diagnostic.noRoom(in: Located(subnet, span)))
  }

  /// A subnet that services can live in. One of two addresses is for networks without the host, which the checks see to.
  func subnet() -> Located<IPv4Prefix>? {
    guard let prefix = prefix() else { return nil }
    let value = prefix.value
    guard value.length <= 31 else {
      reportNoRoom(in: .v4(value))
      return nil
    }
    guard value.length >= 8 else {
      report(.unusableSubnet, "\(value) is too large", "a subnet's length is 8 to 30")
      return nil
    }
    // Special-purpose blocks (RFC 6890) that no interface of a service can have.
    let reserved = [
      ("0.0.0.0/8", "\"this network\""), ("127.0.0.0/8", "loopback"), ("169.254.0.0/16", "link-local"),
      ("224.0.0.0/4", "multicast"), ("240.0.0.0/4", "reserved"),
    ]
    for (block, words) in reserved where IPv4Prefix(block)?.overlaps(value) ?? false {
      report(
        .unusableSubnet, "\(value) is not for hosts", "\(block) is \(words)",
        help: ["choose one in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"])
      return nil
    }
    return prefix
  }
}

extension Diagnostic {
  static func noRoom(in subnet: Located<IPPrefix>) -> Diagnostic {
    let isV4 = subnet.value.network.isV4
    return Diagnostic(
      .unusableSubnet, "\(subnet.value) has no room for services", at: subnet.span,
      "a subnet's length is \(isV4 ? "8 to 30" : "16 to 126")",
      help: [
        isV4
          ? "of a subnet's addresses the first, the last and the gateway's are taken"
          : "of a subnet's addresses the first and the gateway's are taken"
      ])
  }
}
