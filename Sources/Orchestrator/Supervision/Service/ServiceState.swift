import Host
import Intent
import Runtime
import Vocabulary

/// The life of one service, as a value: it takes events and answers with effects.
///
/// Reads no clock, opens no file and starts nothing. All times come with the events, in seconds since 1970.
/// ``ServiceUnit`` carries out the effects, in their order.
struct ServiceState {
  /// Processes of the service, and what is to come of them.
  enum Activity {
    /// No process. None will be started but by a restart timer.
    case idle
    case running
    /// A restart is being carried out, away from the loop.
    case relaunching
  }

  /// Somebody who waits for an answer. A number is not used twice.
  struct Waiter: Hashable {
    let number: Int
  }

  /// Timers that run for one service: at most one of each kind.
  enum Timer: Hashable {
    /// The back-off before a restart.
    case restart
    /// The grace period between the stop signal and SIGKILL.
    case grace
    /// The time after which a service that lived through a signal no longer counts as stopped by hand.
    case mark
    /// The patience of one who waits for readiness.
    case patience(Waiter)
  }

  /// The end of a process.
  struct End: Equatable {
    /// The exit status. Nil if it is unknown.
    var status: TerminationStatus?
    /// True if the kernel ended processes of the run for want of memory.
    var ranOutOfMemory = false
    /// Seconds since 1970.
    var moment: Double
  }

  /// The reason why a wait failed.
  struct Refusal: Equatable {
    var error: StackError
    /// True if the last lines of the service's log belong to it.
    var quotesLog = false
  }

  enum Event: Equatable {
    /// The process of this identity was started, by a command or a restart.
    case started(ProcessIdentity, at: Double)
    /// A new supervisor found the process of the record alive.
    case foundRunning
    /// A new supervisor found no process. If the record names one, it ended so.
    case foundGone(End)
    case exited(End)
    /// Something listens on all ports that were watched.
    case portsOpened
    /// The health check brought this to light.
    case probed(ServiceRecord.Health)
    /// Somebody should look for readiness, even if nobody waits for it.
    case lookForReadiness
    case paused(at: Double)
    case resumed
    /// The definition changed in a way that keeps the process.
    case redefined(DesiredService)
    case relaunchFailed(StackError)

    case restartDue
    case graceEnded
    case markExpired
    /// - Parameter missing: the ports on which nothing listens yet.
    case patienceEnded(Waiter, missing: [ListeningPort])

    /// - Parameter patience: nil for as long as such a service may reasonably take.
    case awaitReady(Waiter, patience: Duration?)
    case awaitCondition(Waiter, Dependency.Condition)
    /// The answers to all waits for readiness and conditions do not matter any more.
    case abandonWaits
    /// - Parameter grace: nil for the service's own grace period.
    case stop(Waiter, grace: Duration?)
    /// A signal that a person sends.
    case kill(Int32)
  }

  enum Effect: Equatable {
    /// Watch for the end of the process that was started or found.
    case watchProcess
    /// Let go of the process that has ended.
    case releaseProcess

    case openOutput
    /// Read the service's terminal.
    case followTerminal
    case closeOutput
    /// Write a line of the supervisor's own into the service's log.
    case note(String)

    case watchPorts([ListeningPort])
    case stopWatchingPorts
    /// Probe from now on, in place of any former health check.
    case watchHealth(HealthCheck, ServiceRecord.Health, startedAt: Double)
    case stopWatchingHealth

    case schedule(Timer, after: Duration)
    case cancel(Timer)

    /// Send a signal to the service's first process.
    case signal(Int32)
    /// Let the service's processes go on, if they are frozen.
    case thaw
    /// End every process of the service's control group.
    case killGroup
    /// Start the process anew.
    case relaunch

    /// The record is this now.
    case record(ServiceRecord)
    case answer(Waiter, Refusal?)
  }

  // Only `handle` and what it calls in the extensions below write these.
  var desired: DesiredService
  var record: ServiceRecord
  /// The name of the stack, for messages.
  let stack: String
  var activity = Activity.idle
  var timers: Set<Timer> = []
  var backoff = RestartBackoff()
  var watchesPorts = false
  /// In the order in which they came.
  var readyWaiters: [Waiter] = []
  var conditionWaiters: [(waiter: Waiter, condition: Dependency.Condition)] = []
  var exitWaiters: [Waiter] = []
  private var effects: [Effect] = []
  private var answers: [Effect] = []

  init(_ desired: DesiredService, stack: String, record: ServiceRecord? = nil) {
    self.desired = desired
    self.stack = stack
    self.record = record ?? ServiceRecord(service: desired.name)
  }

  /// Takes an event, and returns what is to be done, in this order. Answers come last: they may bring new events.
  mutating func handle(_ event: Event) -> [Effect] {
    take(event)
    defer { (effects, answers) = ([], []) }
    return effects + answers
  }

  private mutating func take(_ event: Event) {
    switch event {
    case .started(let process, let moment): started(process, at: moment)
    case .foundRunning: foundRunning()
    case .foundGone(let end): foundGone(end)
    case .exited(let end): ended(end)
    case .portsOpened: portsOpened()
    case .probed(let health): probed(health)
    case .lookForReadiness: lookForReadiness()
    case .paused(let moment): setPaused(since: moment)
    case .resumed: setPaused(since: nil)
    case .redefined(let desired): redefine(desired)
    case .relaunchFailed(let error): relaunchFailed(error)
    case .restartDue: restartDue()
    case .graceEnded: graceEnded()
    case .markExpired: markExpired()
    case .patienceEnded(let waiter, let missing): patienceEnded(of: waiter, missing: missing)
    case .awaitReady(let waiter, let patience): awaitReady(waiter, patience: patience)
    case .awaitCondition(let waiter, let condition): awaitCondition(waiter, condition)
    case .abandonWaits: abandonWaits()
    case .stop(let waiter, let grace): stop(waiter, grace: grace)
    case .kill(let number): kill(number)
    }
  }

  // MARK: Effects

  mutating func emit(_ effect: Effect) {
    effects.append(effect)
  }

  /// - Parameter refusal: nil if what the waiter waits for is so.
  mutating func answer(_ waiter: Waiter, _ refusal: Refusal?) {
    answers.append(.answer(waiter, refusal))
  }

  mutating func schedule(_ timer: Timer, after delay: Duration) {
    timers.insert(timer)
    emit(.schedule(timer, after: delay))
  }

  mutating func cancel(_ timer: Timer) {
    if timers.remove(timer) != nil { emit(.cancel(timer)) }
  }

  /// Has the record written, and answers those whose condition is decided by it.
  mutating func recordChanged() {
    emit(.record(record))
    let waiters = conditionWaiters
    conditionWaiters = []
    for (waiter, condition) in waiters { awaitCondition(waiter, condition) }
  }
}
