extension ExportKeys {
  /// The top of the file, networks and volumes.
  static let stack: [KeyExport] = [
    KeyExport("stack", "name", .kept("the Namespace"), .kept("the name to give to `docker stack deploy`")),
    KeyExport(
      "stack", "services", .kept("a StatefulSet or a Job for each, with its Services"), .kept("a service for each")),
    KeyExport("stack", "networks", .kept("labels of pods, which NetworkPolicies select by"), .kept("overlay networks")),
    KeyExport("stack", "volumes", .kept("PersistentVolumeClaims"), .kept("volumes")),
    KeyExport("stack", "policies", .kept("NetworkPolicies, flattened"), .kept("the networks alone give the same")),
    KeyExport(
      "stack", "expect", .kept("`--verify` asks what follows from the rules, which `stack verify` holds to these"),
      .changed("nothing checks it", do: "keep it for `stack verify` on one machine")),
    KeyExport(
      "stack", "names", .changed("names hold in the whole Namespace"),
      .changed("names hold in each network", do: "put services that name each other on one network")),
    KeyExport(
      "stack", "verify", .changed("there are no routing daemons to wait for"),
      .changed("there are no routing daemons to wait for")),
    KeyExport("verify", "live settle", withParent, withParent),
    KeyExport("stack", "links", noCables, noCables),
    KeyExport("link", "ends endpoints mtu ipv6 \(conditions)", noCables, noCables),
    KeyExport("link's end", "address interface_name mac_address \(conditions)", noCables, noCables),
    KeyExport("direction of a link", "rate delay jitter loss duplicate corrupt reorder", noShaping, noShaping),
    KeyExport("stack", "version", noEffect, noEffect),

    KeyExport("network", "name", .changed("pods of a Namespace have one network"), asInFile),
    KeyExport(
      "network", "internal", .kept("policies without the internet"), .kept("an internal overlay network")),
    KeyExport(
      "network", "default", .kept("part of the flattened policies"), .kept("the networks alone give the same")),
    KeyExport(
      "network", "subnet gateway ip_range", noAddresses, .changed("the overlay network has this subnet")),
    KeyExport("network", "ipam", noAddresses, .changed("the overlay network has this subnet")),
    KeyExport("ipam", "options", noEffect, noEffect),
    KeyExport("ipam", "driver config", withParentLost, withParent),
    KeyExport("ipam config", "subnet gateway ip_range", withParentLost, withParent),
    KeyExport("network", "labels", .changed("networks are no objects there"), asInFile),
    KeyExport(
      "network", "enable_ipv4 enable_ipv6",
      .changed("the cluster decides on families", do: "use a dual-stack cluster for IPv6"),
      .changed("overlay networks have IPv4", do: "reach IPv6 clients by a proxy")),
    KeyExport("network", "attachable", noEffect, asInFile),
    KeyExport(
      "network", "mtu driver_opts", .lost("the cluster's network has one MTU", do: "set it in the CNI plugin"),
      .kept("driver_opts of the overlay network")),
    KeyExport(
      "network's driver_opts", "com.docker.network.driver.mtu parent macvlan_mode", withParentLost, withParent),
    KeyExport("network", "driver parent vlans id remote local port host", noOtherNetworks, noOtherNetworks),
    KeyExport("network", "external", noOtherNetworks, asInFile),
    KeyExport("external network", "name", noOtherNetworks, asInFile),
    KeyExport("VLAN", "subnet gateway", noOtherNetworks, noOtherNetworks),
    KeyExport("vlan", "access trunk", noOtherNetworks, noOtherNetworks),

    KeyExport("volume", "name", .changed("the claim has the key as its name"), asInFile),
    KeyExport(
      "volume", "driver", .changed("the cluster's default StorageClass"), .changed("a folder on each node by itself")),
    KeyExport("volume", "labels", .kept("labels of the claim"), asInFile),
    KeyExport("volume", "external", .kept("a claim that is there before"), asInFile),
  ]

  private static let conditions = "rate delay jitter loss duplicate corrupt reorder egress ingress"

  static let noCables = KeyTreatment(
    outcome: .refused, text: "there are no cables between pods",
    remedy: "keep the lab on one machine, or put both services on a network")
  static let noShaping = KeyTreatment.lost(
    "links cannot be slowed there", do: "test on slow links with `stack` on one machine")
  static let noAddresses = KeyTreatment.lost(
    "the cluster chooses addresses", do: "use names, and leave out the subnet")
  static let withParentLost = KeyTreatment.lost("it goes with the key around it", do: "see the key around it")
  static let noOtherNetworks = KeyTreatment(
    outcome: .refused, text: "networks of this kind cannot be had there",
    remedy: "use a plain network, or keep this stack on one machine")
}
