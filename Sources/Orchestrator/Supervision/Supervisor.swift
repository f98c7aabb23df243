import Build
import CLinux
import Control
import Glibc
import Host
import Intent
import Kernel
import Logs
import Loop
import Names
import Planning
import Runtime
import SystemPackage

/// Supervises one stack: applies plans, watches processes, writes logs and answers commands.
///
/// A single thread runs one loop. Steps that block go to a few workers. It may be killed at any moment: services go on,
/// and the next supervisor adopts them from their records.
package final class Supervisor {
  /// The number of threads that make namespaces, mounts and processes. It is one more than the two cores of the
  /// measurement: each thread sleeps while a new process sets itself up.
  private static let workers = 3

  let loop: EventLoop
  let builder: StackBuilder
  let watch: StackWatch
  let pool: WorkerPool
  let pump: LogPump
  let server: ControlServer
  let names: NameService
  private let events: EventJournal
  var stack: DesiredStack?
  private(set) var units: [String: ServiceUnit] = [:]
  var run: PlanRun?
  /// The patience of the command that is being carried out; nil for what each service asks for.
  var readyTimeout: Duration?
  var stopTimeout: Duration?
  /// True if the command that is being carried out waits for the health of services with an image, too.
  var waitsForHealth = false
  /// Commands that came while another was being carried out, in order.
  private var queue: [() -> Void] = []
  private var isBusy = false
  /// The hooks that run now, each service's under a number of its own.
  var hookRuns: [Int: HookRun] = [:]
  var hookNumber = 0
  /// True if all that is recorded was made, as far as this supervisor knows.
  var isSettled = false
  var folderWatch: FolderWatch?
  /// Ends what was set for a time by hand.
  var overrideTimer: EventLoop.TimerID?

  package init(builder: StackBuilder, listener: consuming Descriptor) throws(KernelError) {
    self.builder = builder
    loop = try EventLoop()
    watch = StackWatch(loop: loop)
    pump = LogPump(loop: loop, staging: builder.folder.staging)
    pool = try WorkerPool(loop: loop, threads: Self.workers)
    server = try ControlServer(loop: loop, listener: listener)
    names = NameService(loop: loop, folder: builder.folder)
    events = EventJournal(builder.folder, scratch: pump.scratch)
    answerCommands()
  }

  /// Runs until the stack is down.
  package func serve() throws(KernelError) {
    // So that ps(1) shows what it is: older kernels call what is executed by descriptor by the descriptor's number.
    try? Files.set("/proc/self/comm", to: "stack")
    // Only a way to be found: on a full disk it must still be there to take the stack down.
    try? StateFile<ProcessIdentity>(path: builder.folder.supervisor).write(ProcessIdentity(of: getpid()))
    try adopt()
    ensureItIsFound()
    watchFolder()
    mend()
    warmUp()
    loop.schedule(after: .seconds(10)) { [weak self] in self?.endIfIdle() }
    try loop.run()
    for unit in units.values { unit.close() }
    names.close()
    watch.close()
    folderWatch?.close()
    server.close()
    pool.shutDown()
  }

  /// Makes what the first service will need, while the command that started this supervisor still chooses. An error is
  /// not reported here: the same step fails again when it is needed.
  private func warmUp() {
    try? pool.submit { [builder] in
      builder.warmUp()
    } completion: { _ in
    }
  }

  /// A supervisor without a stack, whose command went away before it asked for one, has nothing to do.
  private func endIfIdle() {
    if stack == nil, !isBusy { loop.stop() }
  }

  // MARK: Adoption

  /// - Throws: that the stack was recorded by a newer program, whose stack it stays.
  private func adopt() throws(KernelError) {
    pump.finishStaged()
    let salvage = Salvage(folders: builder.folders, stack: builder.stack)
    let found: DesiredStack?
    do throws(KernelError) {
      found = try salvage.recordedOrObserved()
    } catch {
      guard error.errno != .notSupported else { throw error }
      return
    }
    guard let recorded = found else { return }
    stack = recorded
    isSettled = Files.exists(builder.folder.settled)
    for service in recorded.services {
      let record = try? record(of: service)
      let unit = makeUnit(service, record: record)
      events.begin(with: unit.record)
      unit.adopt()
    }
    // Nobody is there to be told of a network without an answer; the next `up` says it.
    _ = names.serve(recorded)
    for unit in units.values { names.update(unit.record) }
    names.follow(hostsFilesOf: recorded)
    watchOverrides()
    watchHost()
    // Tables may have been deleted while no supervisor ran.
    enqueue { [unowned self] in repairTables() }
    enqueue { [unowned self] in repairBridges() }
  }

  /// The record of a service, or the kernel's view of it where the record cannot be read.
  private func record(of service: DesiredService) throws(KernelError) -> ServiceRecord {
    let file = StateFile<ServiceRecord>(path: builder.folder.service(service.name).record)
    if let record = try file.read(), record.service == service.name { return record }
    return try ServiceRecord(observing: service.name, in: builder.stack)
  }

  private func makeUnit(_ service: DesiredService, record: ServiceRecord? = nil) -> ServiceUnit {
    let unit = ServiceUnit(
      service, paths: builder.folder.service(service.name), loop: loop, pump: pump, record: record,
      group: builder.controlGroup(of: service.name),
      namespace: { [builder] in try? builder.namespace(of: $0) },
      relaunch: { [weak self] in self?.relaunch($0) },
      makeProbe: { [loop, pool, builder] in builder.probe(of: $0, in: $1, loop: loop, pool: pool) },
      onUnreachable: { [builder] unit, port, address in
        let name = unit.desired.name
        let run = unit.record.startedAt.map { "\($0)" } ?? ""
        builder.warnings.add(
          "\(builder.stack)/\(name) listens on \(address) alone at \(port.target), which is published: nobody gets "
            + "through to it; have it listen on 0.0.0.0", about: "loopback \(name) \(port.target) \(run)")
      },
      onChange: { [weak self] in self?.persist($0) })
    units[service.name] = unit
    return unit
  }

  /// Makes the units what the services are to be; those that run keep their process.
  func redefine(_ desired: DesiredStack) {
    for service in desired.services {
      if let unit = units[service.name] { unit.redefine(service) } else { _ = makeUnit(service) }
    }
  }

  /// Lets go of services that a stack does not have any more.
  func dropUnits(notIn stack: DesiredStack) {
    let kept = Set(stack.services.map(\.name))
    for name in units.keys where !kept.contains(name) { units.removeValue(forKey: name)?.close() }
  }

  private func persist(_ record: ServiceRecord) {
    // A full disk must not stop the supervision: the record is behind until the next change.
    try? StateFile(path: builder.folder.service(record.service).record).write(record)
    names.update(record)
    events.update(record)
  }

  private func relaunch(_ unit: ServiceUnit) {
    apply([.start(unit.desired, stack: builder.stack)]) { _, error in
      if let error { unit.relaunchFailed(error) }
    }
  }

  /// One command changes the stack at a time.
  func enqueue(_ command: @escaping () -> Void) {
    guard !isBusy else { return queue.append(command) }
    isBusy = true
    command()
  }

  func commandEnded() {
    run = nil
    isBusy = false
    guard !queue.isEmpty else { return releaseCodeSoon() }
    enqueue(queue.removeFirst())
  }

  var observed: Planner.Observed { units.mapValues(\.record.phase) }

  /// Most of the program has run by now, and most of that will not run again for a long time.
  private func releaseCodeSoon() {
    loop.schedule(after: .milliseconds(200)) { [weak self] in
      if self?.isBusy == false { stack_release_code() }
    }
  }

  /// The stack is gone: so is its supervisor, once the last answers are out.
  func end() {
    stack = nil
    folderWatch?.close()
    // The command that asked for it removes its lock itself, unless it was killed.
    for lock in [builder.folder.lock, builder.folders.choosingLock] { StackLock.removeIfFree(lock) }
    Files.removeIfEmpty(builder.folders.run)
    for unit in units.values { unit.close() }
    units = [:]
    names.close()
    server.stopListening()
    awaitDrain(attempts: 1_000)
  }

  private func awaitDrain(attempts: Int) {
    guard server.connectionCount > 0, attempts > 0 else { return loop.stop() }
    loop.schedule(after: .milliseconds(1)) { [self] in awaitDrain(attempts: attempts - 1) }
  }
}
