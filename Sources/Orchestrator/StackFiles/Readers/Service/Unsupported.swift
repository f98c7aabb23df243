/// Compose's keys for services that stack does not do, each with what to do instead.
enum Unsupported {
  private static let noRealTime = "leave it out: real-time time is not shared out"

  static let keys: [KeyTable<ServiceDraft>.Key] =
    [
      ("cpu_count", "write `cpus:`"), ("cpu_percent", "write `cpus:`"), ("cpu_period", "write `cpus:`"),
      ("cpu_quota", "write `cpus:`"), ("cpu_rt_runtime", noRealTime), ("cpu_rt_period", noRealTime),
      ("mem_swappiness", "leave it out: kernels with cgroups of version 2 have one for the whole host"),
      ("oom_kill_disable", "leave it out: a service that could not be ended would stand still for ever"),
      ("gpus", "leave it out: a service has no devices of the host"),
      ("cgroup_parent", "leave it out: stack arranges the cgroups"),
      (
        "links",
        "use `networks:` with `aliases:`: services on one network know each other's names; a cable between two is `links:` of the stack"
      ),
      ("external_links", "leave it out: stacks are apart from each other"),
      ("secrets", "bind the file, read-only: `./secret:/run/secrets/secret:ro`"),
      ("configs", "bind the file, read-only: `./config:/etc/config:ro`"),
      ("volumes_from", "name the volumes in both services"),
      ("extends", "use a YAML anchor and a merge key: `<<: *base`"),
      ("label_file", "write the labels under `labels:`"),
      ("runtime", "leave it out: stack is the runtime"),
      ("isolation", "leave it out: it is for Windows"),
      ("credential_spec", "leave it out: it is for Windows"),
      ("provider", "leave it out: stack runs processes alone"),
      ("models", "leave it out: stack runs processes alone"),
      ("use_api_socket", "leave it out: there is no Docker to talk to"),
      ("driver_opts", "leave it out: it is for Docker's network drivers"),
      ("pull_refresh_after", "leave it out: nothing is pulled"),
    ].map { .notSupported($0, $1) }
}
