import Host
import Intent
import Kernel
import Loop
import Runtime
import Vocabulary

extension StackBuilder {
  /// A probe that runs one of a service's hooks in the service's namespaces.
  ///
  /// Processes that the hook leaves running belong to the service, and end with it.
  package func hook(
    _ hook: DesiredHook, of service: DesiredService, in process: ServiceProcess, loop: EventLoop, pool: WorkerPool
  ) -> ServiceProbe {
    ServiceProbe(
      loop: loop, pool: pool,
      launch: { [self] () throws(KernelError) in
        let entrance = controlGroup(of: service.name).entrance
        let birthplace = try entrance.birthplace()
        var context = ProcessContext(service, entrance)
        context.environment = service.environment(of: hook)
        context.workingDirectory = hook.workingDirectory ?? context.workingDirectory
        context.user = hook.user ?? context.user
        var command = try context.process(hook.command, terminal: nil, openFiles: openFiles, filters: filters)
        if hook.isPrivileged { command.confinement = .none }
        (command.cgroup, command.cgroupEntrances) = (birthplace.descriptor, entrance.open)
        let running = try Container.start(into: process.process.pidfd, context.joining(command))
        return LaunchedProbe(command: running) { true }
      })
  }
}
