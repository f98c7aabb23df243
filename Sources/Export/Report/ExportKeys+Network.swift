extension ExportKeys {
  static let files: [KeyExport] = [
    KeyExport("service", "volumes", .kept("PersistentVolumeClaims, ConfigMaps"), .kept("volumes and configs")),
    KeyExport("mount", "type source target read_only bind volume tmpfs", withParent, withParent),
    KeyExport("mount", "consistency", noEffect, noEffect),
    KeyExport("bind", "create_host_path propagation selinux", withParent, withParent),
    KeyExport("volume", "nocopy", .kept("no initContainer that copies"), asInFile),
    KeyExport(
      "service", "tmpfs", .changed("an emptyDir in memory, from which programs can be executed"), asInFile),
    KeyExport("tmpfs", "size", .kept("sizeLimit"), asInFile),
    KeyExport(
      "tmpfs", "mode uid gid exec options",
      .lost("an emptyDir has mode 0777", do: "change it in the command"),
      .lost("`docker stack` knows the size alone", do: "change it in the command")),
  ]

  static let network: [KeyExport] = [
    KeyExport("service", "networks", .kept("labels of pods, which NetworkPolicies select by"), asInFile),
    KeyExport(
      "network attachment", "aliases", .changed("a Service of that name, in the whole Namespace"), asInFile),
    KeyExport(
      "network attachment", "ipv4_address ipv6_address addresses", noAddresses,
      .lost("Swarm chooses addresses", do: "use names")),
    KeyExport("network attachment", "mac_address interface_name gw_priority claims", noInterfaces, noInterfaces),
    KeyExport("network attachment", "vlan", noOtherNetworks, noOtherNetworks),
    KeyExport("network attachment", "priority", noEffect, noEffect),
    KeyExport(
      "network attachment", "rate delay jitter loss duplicate corrupt reorder egress ingress", noShaping, noShaping),
    KeyExport(
      "service", "network_mode", .kept("hostNetwork, one pod for both, or policies without peers"),
      .lost("Swarm ignores it", do: "use networks")),
    KeyExport("service", "mac_address", noInterfaces, noInterfaces),
    KeyExport("service", "loopback routes forward", noRoutes, noRoutes),
    KeyExport("route", "to via dev blackhole", noRoutes, noRoutes),
    KeyExport("service", "switch", noCables, noCables),
    KeyExport("switch", "stp interface_name", noCables, noCables),
    KeyExport("service", "extra_hosts", .kept("hostAliases"), asInFile),
    KeyExport(
      "service", "ports", .kept("a Service of type LoadBalancer, and policies"), .kept("ports in host mode")),
    KeyExport("port", "target published protocol", withParent, withParent),
    KeyExport(
      "port", "from", .kept("loadBalancerSourceRanges, and policies"),
      .lost("Swarm filters no sources", do: "filter them on each node")),
    KeyExport(
      "port", "host_ip", .lost("a load balancer has its own address", do: "choose it by annotations of the Service"),
      .lost("Swarm publishes on all addresses", do: "filter them on each node")),
    KeyExport("port", "mode name app_protocol", noEffect, noEffect),
    KeyExport("service", "expose", .kept("ports of the container, which `--verify` asks"), asInFile),
    KeyExport(
      "service", "dns",
      .lost("servers of its own would hide the cluster's names", do: "forward their zones in the cluster's CoreDNS"),
      asInFile),
    KeyExport("service", "dns_search", .kept("dnsConfig.searches"), asInFile),
    KeyExport(
      "service", "dns_opt", .kept("dnsConfig.options"),
      .lost("the file of `docker stack` has no such key", do: "set dns-opts in each node's daemon.json")),
  ]

  static let order: [KeyExport] = [
    KeyExport(
      "service", "depends_on", .kept("initContainers that wait"),
      .lost("Swarm starts all at once", do: "have the program wait and try again")),
    KeyExport("dependency", "condition required", withParent, withParentLost),
    KeyExport(
      "dependency", "restart", .lost("no pod is restarted with another", do: "run `kubectl rollout restart`"),
      withParentLost),
    KeyExport(
      "service", "healthcheck", .kept("readinessProbe, startupProbe"),
      .changed("tasks that are unhealthy are replaced")),
    KeyExport("healthcheck", "test interval timeout retries start_period disable", withParent, asInFile),
    KeyExport(
      "healthcheck", "start_interval", .kept("period of the startupProbe"),
      .lost("the file of `docker stack` has no such key", do: "choose a shorter interval")),
    KeyExport(
      "service", "restart", .kept("the kind of workload and its restartPolicy"), .kept("deploy.restart_policy")),
    KeyExport("service", "stop_signal", .kept("lifecycle.stopSignal"), asInFile),
    KeyExport("service", "stop_grace_period", .kept("terminationGracePeriodSeconds"), asInFile),
    KeyExport(
      "service", "post_start pre_stop", .kept("lifecycle hooks"),
      .lost("Swarm has no hooks", do: "do it in the command")),
    KeyExport("hook", "command", withParent, withParentLost),
    KeyExport("hook", "working_dir environment", withParent, withParentLost),
    KeyExport(
      "hook", "user privileged",
      .lost("a hook has the user and the rights of its container", do: "do it in an initContainer"), withParentLost),
  ]

  private static let noInterfaces = KeyTreatment.lost(
    "a container's interfaces are not the file's", do: "leave it out, or keep this stack on one machine")
  private static let noRoutes = KeyTreatment.lost(
    "the cluster routes, and not a service",
    do: "put services that are to meet on one network, and say who may with `policies:`")
}
