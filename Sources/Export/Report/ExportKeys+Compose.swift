extension ExportKeys {
  /// Keys of Compose that are read into others before anything is exported, or that have no effect on one host either.
  static let compose: [KeyExport] = [
    KeyExport("stack", "include", readHere, readHere),
    KeyExport("include", "path project_directory env_file", readHere, readHere),
    KeyExport("stack", "secrets", .kept("Secrets, with what they hold now"), .kept("secrets, named by content")),
    KeyExport("stack", "configs", .kept("ConfigMaps, with what they hold now"), .kept("configs, named by content")),
    KeyExport("secret", "file environment content name labels external", readHere, readHere),
    KeyExport("config", "file environment content name labels external", readHere, readHere),
    KeyExport("service", "secrets configs", .kept("files at their targets"), .kept("files at their targets")),
    KeyExport("use of a secret or config", "source target", readHere, readHere),
    KeyExport("use of a secret or config", "mode", .kept("the mode of the file"), asInFile),
    KeyExport(
      "use of a secret or config", "uid gid",
      .changed("the file is root's", do: "leave it readable for all, or copy it in the command"), asInFile),
    KeyExport("service", "extends", readHere, readHere),
    KeyExport("extends", "service file", readHere, readHere),
    KeyExport("service", "label_file", readHere, readHere),
    KeyExport(
      "service", "volumes_from", .kept("the mounts of the other service"), .kept("the mounts of the other service")),
    KeyExport("service", "links external_links", noOtherNames, noOtherNames),
    KeyExport("service", "cpu_quota cpu_period", .kept("limits.cpu"), .kept("deploy.resources.limits")),
    KeyExport("develop", "watch", noWatch, noWatch),
    KeyExport("watch", "path action target ignore include initial_sync exec", noWatch, noWatch),
    KeyExport(
      "build",
      """
      context dockerfile dockerfile_inline args target tags labels network no_cache no_cache_filter pull secrets extra_hosts shm_size \
      additional_contexts ulimits privileged platforms ssh entitlements isolation cache_from cache_to provenance sbom
      """, builtBefore, builtBefore),
    KeyExport("deploy", "restart_policy", .kept("the pod's restartPolicy"), .kept("deploy.restart_policy")),
    KeyExport("restart_policy", "condition max_attempts", withParent, withParent),
    KeyExport("restart_policy", "delay window", noEffect, notRead),
    KeyExport("deploy", "placement update_config rollback_config", noEffect, notRead),
    KeyExport("deploy", "endpoint_mode", noEffect, .changed("dnsrr: names lead to the replicas, as in `stack`")),
    KeyExport("reservation", "generic_resources devices", noEffect, notRead),
    KeyExport(
      "service",
      """
      runtime isolation cpu_count cpu_percent mem_swappiness oom_kill_disable cgroup_parent driver_opts \
      pull_refresh_after
      """, noEffect, noEffect),
    KeyExport("network attachment", "link_local_ips", noEffect, noEffect),
    KeyExport("bind", "recursive", noEffect, noEffect),
    KeyExport("volume", "subpath", .kept("subPath"), noSubpath),
    KeyExport("volume", "driver_opts", noMountOptions, asInFile),
    KeyExport("volume's driver_opts", "type device o", noMountOptions, asInFile),
    KeyExport(
      "network's driver_opts",
      """
      com.docker.network.bridge.name com.docker.network.bridge.enable_icc \
      com.docker.network.bridge.enable_ip_masquerade
      """, noBridge, noBridge),
    KeyExport("ipam config", "aux_addresses", noBridge, noBridge),
    KeyExport("host's end of a link", "link", noBridge, noBridge),
  ]

  private static let builtBefore = KeyTreatment.changed("the image must be in a registry", do: "build it and push it")
  /// Keys that mean something to Swarm and nothing to `stack`.
  static let notRead = KeyTreatment.lost(
    "`stack` does not read it, so the export does not have it", do: "write it into the exported file")
  private static let noWatch = KeyTreatment.lost(
    "files of this host are not brought there", do: "build an image of them, and push it")
  private static let noOtherNames = KeyTreatment.lost(
    "names that one service alone knows do not exist there", do: "give the other service an alias on the network")
  private static let noSubpath = KeyTreatment.lost(
    "the whole volume is mounted", do: "give the service a volume of its own")
  private static let noMountOptions = KeyTreatment.lost(
    "the volume is one of the cluster's own", do: "write a PersistentVolume, or use a volume driver of the nodes")
  private static let noBridge = KeyTreatment.lost(
    "there is no bridge of this host", do: "say with `policies:` who may talk to whom")
}
