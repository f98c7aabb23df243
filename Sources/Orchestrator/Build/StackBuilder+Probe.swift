import Glibc
import Kernel
import Runtime
import Synchronization

extension StackBuilder {
  /// What runs a service's health check beside its process.
  ///
  /// Each probe has a control group of its own, and no group is used twice: in one that was killed once, Linux 6.18 also
  /// kills whatever is born there (clone3(2), CLONE_INTO_CGROUP).
  func probe(
    of service: DesiredService, in process: ServiceProcess, loop: EventLoop, pool: WorkerPool
  ) -> ServiceProbe {
    let groups = ProbeGroups(parent: controlGroup(of: service.name), mountPoint: controlGroups)
    var spec = ExecSpec(service.healthCheck?.command ?? [])
    spec.environment = service.process.environment.map { "\($0.key)=\($0.value)" }.sorted()
    spec.workingDirectory = service.process.workingDirectory ?? "/"
    spec.user = service.process.user
    spec.openFiles = openFiles
    return ServiceProbe(
      loop: loop, pool: pool,
      launch: { [spec, self] () throws(KernelError) in
        groups.clearStrangers()
        var spec = spec
        spec.confinement = try filters.confinement(service.process.security)
        let number = probes.add(1, ordering: .relaxed).newValue
        let group = try groups.create(number)
        spec.cgroup = group.descriptor
        do throws(KernelError) {
          let command = try Container.start(into: process.process.pidfd, spec)
          return LaunchedProbe(command: command) { groups.clear(number) }
        } catch {
          _ = group.removeIfEmpty()
          throw error
        }
      })
  }
}

/// The control groups of a service's probes, within the service's own.
private struct ProbeGroups: Sendable {
  private static let prefix = "probe."
  let parent: String
  let mountPoint: String?
  /// Told apart from those that another supervisor has made.
  private let owner = "\(prefix)\(getpid())."

  init(parent: String, mountPoint: String?) {
    self.parent = parent
    self.mountPoint = mountPoint
  }

  func create(_ number: UInt64) throws(KernelError) -> Cgroup {
    try Cgroup.create("\(owner)\(number)", in: parent, mountPoint: mountPoint)
  }

  /// Ends what is in a probe's group and removes it: false when that has to be tried again.
  func clear(_ number: UInt64) -> Bool { clear("\(owner)\(number)") }

  /// Ends what a supervisor that was killed during a probe has left of it.
  func clearStrangers() {
    for name in (try? Cgroup.names(in: parent, mountPoint: mountPoint)) ?? []
    where name.hasPrefix(Self.prefix) && !name.hasPrefix(owner) {
      _ = clear(name)
    }
  }

  private func clear(_ name: String) -> Bool {
    do {
      let group = try Cgroup.open(name, in: parent, mountPoint: mountPoint)
      if group.removeIfEmpty() { return true }
      try group.kill()
      return group.removeIfEmpty()
    } catch {
      return error.errno == .noSuchFileOrDirectory
    }
  }
}
