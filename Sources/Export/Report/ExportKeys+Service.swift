extension ExportKeys {
  /// The keys of the process.
  static let process: [KeyExport] = [
    KeyExport("service", "rootfs", noRootFolder, noRootFolder),
    KeyExport("rootfs", "path mode", noRootFolder, noRootFolder),
    KeyExport("service", "image", .kept("the image of the container"), asInFile),
    KeyExport(
      "service", "build", .changed("the image must be in a registry", do: "build it and push it"),
      .changed("the image must be in a registry", do: "build it and push it")),
    KeyExport("service", "pull_policy", .kept("imagePullPolicy"), .changed("each node pulls what it lacks")),
    KeyExport("service", "platform", .kept("a nodeSelector"), .kept("a placement constraint")),
    KeyExport("service", "entrypoint", .kept("command"), asInFile),
    KeyExport("service", "command", .kept("args; command where there is no image"), asInFile),
    KeyExport("service", "environment", .kept("env"), asInFile),
    KeyExport(
      "service", "env_file", .kept("env: the files are read now"), .kept("environment: the files are read now")),
    KeyExport("env_file", "path required format", readHere, readHere),
    KeyExport("service", "working_dir", .kept("workingDir"), asInFile),
    KeyExport("service", "user", .kept("runAsUser and runAsGroup"), asInFile),
    KeyExport(
      "service", "hostname", .changed("a Service of that name; the pod's own name is that of the replica"), asInFile),
    KeyExport(
      "service", "domainname", .lost("a pod's domain is the cluster's", do: "use full names of Services"),
      .lost("Swarm ignores it", do: "use `hostname:` with dots")),
    KeyExport("service", "container_name", .kept("a Service of that name"), .changed("an alias on each network")),
    KeyExport(
      "service", "init", .lost("there is no init in a pod", do: "start tini or the like from the image"), asInFile),
    KeyExport("service", "tty stdin_open", .kept("tty, stdin"), asInFile),
    KeyExport("service", "scale", .kept("replicas"), .kept("deploy.replicas")),
    KeyExport("service", "deploy", .kept("see the keys in it"), .kept("see the keys in it")),
    KeyExport("deploy", "replicas", .kept("replicas"), asInFile),
    KeyExport("deploy", "resources", withParent, withParent),
    KeyExport(
      "deploy", "mode", .kept("replicas; global counts as one, as in `stack`"), .kept("replicas; global is one")),
    KeyExport("deploy", "labels", noEffect, notRead),
    KeyExport("service", "profiles", .kept("chosen by `stack export --profile`"), .kept("chosen by --profile")),
    KeyExport("service", "labels", .kept("labels of pods; annotations where a label cannot hold the value"), asInFile),
    KeyExport("service", "attach annotations develop", noEffect, noEffect),
    KeyExport("service", "logging", noEffect, notRead),
  ]

  /// The keys of its rights.
  static let rights: [KeyExport] = [
    KeyExport("service", "cap_add cap_drop", .kept("capabilities"), asInFile),
    KeyExport(
      "service", "privileged", .kept("privileged"),
      .lost("Swarm ignores it", do: "name the capabilities under `cap_add:`")),
    KeyExport(
      "service", "userns_mode", .kept("hostUsers"),
      .lost("Swarm ignores it", do: "set userns-remap in each node's daemon.json")),
    KeyExport(
      "service", "security_opt", .kept("allowPrivilegeEscalation and seccompProfile"),
      .lost("Swarm ignores it", do: "set no-new-privileges and seccomp-profile in each node's daemon.json")),
    KeyExport("service", "read_only", .kept("readOnlyRootFilesystem"), asInFile),
  ]

  static let limits: [KeyExport] = [
    KeyExport("service", "mem_limit", .kept("limits.memory"), .kept("deploy.resources.limits")),
    KeyExport("service", "mem_reservation", .kept("requests.memory"), .kept("deploy.resources.reservations")),
    KeyExport("service", "cpus", .kept("limits.cpu"), .kept("deploy.resources.limits")),
    KeyExport(
      "service", "cpu_shares", .changed("requests.cpu, 1 for 1024"), .changed("reserved cpus, 1 for 1024")),
    KeyExport("service", "memswap_limit", noSwap, noSwap),
    KeyExport(
      "service", "cpuset", .lost("the kubelet places processors", do: "use its static CPU manager policy"),
      .lost("Swarm refuses it", do: "use a placement constraint")),
    KeyExport(
      "service", "pids_limit", .lost("the kubelet has one for all pods", do: "set podPidsLimit in its configuration"),
      .kept("deploy.resources.limits.pids")),
    KeyExport("service", "blkio_config", noBlockLimits, noBlockLimits),
    KeyExport(
      "blkio_config", "weight weight_device device_read_bps device_write_bps device_read_iops device_write_iops",
      noBlockLimits, noBlockLimits),
    KeyExport("device", "path weight rate", noBlockLimits, noBlockLimits),
    KeyExport("resources", "limits reservations", withParent, withParent),
    KeyExport("limit", "cpus memory", .kept("limits"), asInFile),
    KeyExport(
      "limit", "pids", .lost("the kubelet has one for all pods", do: "set podPidsLimit in its configuration"),
      asInFile),
    KeyExport("reservation", "cpus memory", .kept("requests"), asInFile),
  ]

  static let kernel: [KeyExport] = [
    KeyExport("service", "ulimits", noUlimits, asInFile),
    KeyExport("ulimit", "soft hard", noUlimits, asInFile),
    KeyExport(
      "service", "oom_score_adj", .lost("the kubelet sets it by requests and limits", do: "set a `mem_limit:`"),
      .lost("Swarm has no such setting", do: "set a `mem_limit:`")),
    KeyExport(
      "service", "shm_size", .kept("an emptyDir in memory at /dev/shm"), .changed("a tmpfs at /dev/shm")),
    KeyExport("service", "storage_opt", .kept("limits.ephemeral-storage"), noStorageLimit),
    KeyExport("storage_opt", "size", .kept("limits.ephemeral-storage"), noStorageLimit),
    KeyExport("service", "sysctls", .kept("sysctls of the pod"), asInFile),
    KeyExport("service", "devices device_cgroup_rules", noDevices, noDevices),
    KeyExport("device", "source target permissions", noDevices, noDevices),
    KeyExport(
      "service", "group_add", .kept("supplementalGroups"),
      .lost("Swarm has no such setting", do: "add the user to the group in the image")),
    KeyExport("service", "ipc", .kept("hostIPC, or one pod for both"), noSharing),
    KeyExport("service", "pid", .kept("hostPID, or shareProcessNamespace"), noSharing),
    KeyExport(
      "service", "uts", .lost("a pod has its own host name", do: "pass the node's name by the downward API"),
      .lost("Swarm has no such setting", do: "use a template: `hostname: \"{{.Node.Hostname}}\"`")),
    KeyExport("service", "cgroup", noEffect, noEffect),
    KeyExport("service", "time_offset", noTimeOffset, noTimeOffset),
    KeyExport("time offset", "monotonic boottime", noTimeOffset, noTimeOffset),
  ]

  private static let noRootFolder = KeyTreatment.lost(
    "there is no folder of this host", do: "make an image of the programs and push it")
  private static let noSwap = KeyTreatment.lost("swap is not shared out by service", do: "set a `mem_limit:` alone")
  private static let noBlockLimits = KeyTreatment.lost(
    "block I/O is not limited by service", do: "give the service a disk of its own")
  private static let noUlimits = KeyTreatment.lost(
    "a pod has the limits of the node's runtime",
    do: "set them in the runtime's configuration, or by `ulimit` in the command")
  private static let noStorageLimit = KeyTreatment.lost(
    "Swarm has no such setting", do: "limit the node's storage driver")
  private static let noDevices = KeyTreatment.lost(
    "a device needs a plugin of the cluster, or a privileged service",
    do: "install a device plugin, and add its resource to the limits")
  private static let noSharing = KeyTreatment.lost(
    "Swarm shares no namespaces", do: "start both programs in one service")
  private static let noTimeOffset = KeyTreatment.lost(
    "clocks of other services cannot be moved", do: "test with moved clocks on one machine")
}
