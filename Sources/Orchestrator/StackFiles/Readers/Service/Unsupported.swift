/// Compose's keys for services that stack does not do, each with what to do instead.
enum Unsupported {
  private static let noRealTime = "leave it out: real-time time is not shared out"

  static let keys: [KeyTable<ServiceDraft>.Key] =
    [
      ("cpu_rt_runtime", noRealTime), ("cpu_rt_period", noRealTime),
      ("gpus", "leave it out: a service has no devices of the host, but those of `devices:`"),
      ("credential_spec", "leave it out: it is for Windows"),
      ("provider", "run what it provides as a service, or outside of the stack: stack starts no helpers of Docker's"),
      ("models", "run a model server as a service, and give its address under `environment:`"),
      (
        "pre_start",
        "write a service that ends, and wait for it: `depends_on: {setup: {condition: service_completed_successfully}}`"
      ),
      ("use_api_socket", "leave it out: there is no Docker to talk to"),
    ].map { .notSupported($0, $1) }
    + [
      ("cpu_count", "it is for Windows: write `cpus:`"), ("cpu_percent", "it is for Windows: write `cpus:`"),
      ("mem_swappiness", "kernels with cgroups of version 2 have one for the whole host"),
      ("oom_kill_disable", "kernels with cgroups of version 2 end what is out of memory"),
      ("cgroup_parent", "stack arranges the cgroups"),
      ("driver_opts", "it is for Docker's network drivers"),
      ("pull_refresh_after", "images are fetched when `pull_policy:` says so"),
    ].map { .ignored($0, $1) }
    + [
      .read("runtime", "runc: stack is the runtime") { field, _ in
        guard let name = field.nonEmptyText() else { return }
        accept(field, ["runc", "crun", "io.containerd.runc.v2", "youki"].contains(name.value), "stack is the runtime")
      },
      .read("isolation", "default") { field, _ in
        guard let name = field.nonEmptyText() else { return }
        accept(field, name.value == "default", "it is for Windows")
      },
    ]

  /// A note for a value that changes nothing, and an error for another.
  private static func accept(_ field: Field, _ isUsual: Bool, _ reason: String) {
    if isUsual {
      field.report(.ignoredKey, "\"\(field.name)\" has no effect: \(reason)", at: field.key)
    } else {
      field.report(
        .notSupported, "\"\(field.name): \(Field.shortened(field.node.scalar?.text ?? ""))\" is not supported",
        at: field.key, help: ["leave it out: \(reason)"])
    }
  }
}
