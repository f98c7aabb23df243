import Glibc
import Host
import Intent
import Kernel
import Loop
import Runtime
import Synchronization
import Vocabulary

extension StackBuilder {
  /// Makes the runner of a service's health check.
  ///
  /// Each probe has a control group of its own, and no group is used twice. In a group that was killed once, Linux 6.18
  /// also kills new processes (clone3(2), CLONE_INTO_CGROUP).
  package func probe(
    of service: DesiredService, in process: ServiceProcess, loop: EventLoop, pool: WorkerPool
  ) -> ServiceProbe {
    let groups = ProbeGroups(parent: controlGroup(of: service.name))
    let command = service.healthCheck?.command ?? []
    return ServiceProbe(
      loop: loop, pool: pool,
      launch: { [self] () throws(KernelError) in
        groups.clearStrangers()
        let number = probes.add(1, ordering: .relaxed).newValue
        let group = try groups.create(number)
        let birthplace = try group.entrance.birthplace()
        do throws(KernelError) {
          let context = ProcessContext(service, group.entrance)
          var probe = try context.process(command, terminal: nil, openFiles: openFiles, filters: filters)
          (probe.cgroup, probe.cgroupEntrances) = (birthplace.descriptor, groups.entrances(of: group))
          let command = try Container.start(into: process.process.pidfd, context.joining(probe))
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
  let parent: ControlGroup
  /// Told apart from those that another supervisor has made.
  private let owner = "\(prefix)\(getpid())."

  init(parent: ControlGroup) {
    self.parent = parent
  }

  func create(_ number: UInt64) throws(KernelError) -> ControlGroup {
    let group = group("\(owner)\(number)")
    try group.createForTracking()
    return group
  }

  /// A probe without a group of its own joins the service's.
  func entrances(of group: ControlGroup) -> [String] {
    parent.entrance.open.map { own in
      group.entrance.open.first { $0.hasPrefix(own.dropLast("tasks".utf8.count)) } ?? own
    }
  }

  private func group(_ name: String) -> ControlGroup { parent.groups.group("\(parent.path)/\(name)") }

  /// Ends what is in a probe's group and removes it: false when that has to be tried again.
  func clear(_ number: UInt64) -> Bool { clear("\(owner)\(number)") }

  /// Ends what a supervisor that was killed during a probe has left of it.
  func clearStrangers() {
    for name in Set(((try? parent.groups.folders(in: parent.path)) ?? []).map(\.name))
    where name.hasPrefix(Self.prefix) && !name.hasPrefix(owner) {
      _ = clear(name)
    }
  }

  private func clear(_ name: String) -> Bool {
    do {
      let group = group(name)
      if group.removeIfEmpty() { return true }
      try group.kill()
      return group.removeIfEmpty()
    } catch {
      return error.errno == .noSuchFileOrDirectory
    }
  }
}
