import Host
import Intent
import Kernel
import Loop
import Runtime
import Vocabulary

extension StackBuilder {
  /// What runs one of a service's hooks beside its process. What the hook leaves running counts as the service's own, and ends
  /// with it.
  package func hook(
    _ hook: DesiredHook, of service: DesiredService, in process: ServiceProcess, loop: EventLoop, pool: WorkerPool
  ) -> ServiceProbe {
    var spec = ExecSpec(hook.command)
    spec.environment = service.environment(of: hook).map { "\($0.key)=\($0.value)" }.sorted()
    spec.workingDirectory = hook.workingDirectory ?? service.process.workingDirectory ?? "/"
    spec.user = hook.user ?? service.process.user
    spec.openFiles = openFiles
    spec.limits = service.settings.limits
    spec.oomScoreAdjustment = service.settings.oomScoreAdjustment
    spec.groups = service.settings.groups
    spec.entersTimeNamespace = service.settings.timeOffsets != nil
    return ServiceProbe(
      loop: loop, pool: pool,
      launch: { [spec, self] () throws(KernelError) in
        var spec = spec
        spec.confinement = hook.isPrivileged ? .none : try filters.confinement(service.process.security)
        let entrance = controlGroup(of: service.name).entrance
        let birthplace = try entrance.birthplace()
        spec.cgroup = birthplace.descriptor
        spec.cgroupEntrances = entrance.open
        return LaunchedProbe(command: try Container.start(into: process.process.pidfd, spec)) { true }
      })
  }
}
