import Intent
import Planning
import Vocabulary

/// The supervisor, as a plan under way uses it.
protocol PlanHost: AnyObject {
  /// Applies steps that block, one after the other, away from the loop; `completion` gets, on the loop, those that were
  /// begun and what stopped the last of them.
  func apply(_ steps: [Step], completion: @escaping (_ begun: [Step], StackError?) -> Void)
  func awaitReady(_ service: DesiredService, completion: @escaping (StackError?) -> Void)
  /// True if `awaitReady` does not wait for the service's health.
  func isReadyOnceStarted(_ service: DesiredService) -> Bool
  func stop(_ service: DesiredService, completion: @escaping (StackError?) -> Void)
  /// Calls back once the condition holds, or can no longer come true.
  func await(
    _ condition: Dependency.Condition, of instance: String, completion: @escaping (StackError?) -> Void)
  /// Answers every wait for readiness or a condition at once: what they were for will not happen.
  func abandonWaits()
}

/// One plan on its way: stage after stage, the lanes of a stage side by side. Lives on the loop's thread.
final class PlanRun {
  enum Failures {
    /// The first failure ends the run: nothing new is begun.
    case stop
    /// Tear-down: every step is tried, and all that failed is reported.
    case goOn
  }

  private let plan: Plan
  private let failures: Failures
  private unowned let host: any PlanHost
  private let report: (OperationEvent) -> Void
  private let completion: (PlanRun) -> Void

  /// Steps that were begun, in that order: what an undo has to take back.
  private(set) var begun: [Step] = []
  private(set) var errors: [StackError] = []
  private(set) var isCancelled = false
  private var isFinished = false
  private var nextStage = 0
  private var lanesLeft = 0
  /// Lanes that wait for others, by the services of those.
  private var behind: [String: [WaitingLane]] = [:]
  /// Services that this stage is still to start.
  private var unstarted: Set<String> = []
  /// Calls that wait for an instance to be started, by its name.
  private var afterStart: [String: [() -> Void]] = [:]

  private final class WaitingLane {
    let lane: Plan.Lane
    var lanesAhead: Int

    init(_ lane: Plan.Lane, lanesAhead: Int) {
      self.lane = lane
      self.lanesAhead = lanesAhead
    }
  }

  init(
    _ plan: Plan, failures: Failures, on host: any PlanHost, report: @escaping (OperationEvent) -> Void,
    completion: @escaping (PlanRun) -> Void
  ) {
    self.plan = plan
    self.failures = failures
    self.host = host
    self.report = report
    self.completion = completion
  }

  func start() {
    runNextStage()
  }

  /// Begins nothing new. What is under way is waited for, so that undoing does not overtake it. A tear-down goes on.
  func cancel() {
    guard failures == .stop else { return }
    isCancelled = true
    host.abandonWaits()
  }

  private func note(_ error: StackError) {
    // A wait that was abandoned because of an error is not an error of its own.
    guard goesOn else { return }
    errors.append(error)
    if failures == .stop { host.abandonWaits() }
  }

  private var goesOn: Bool {
    !isCancelled && (errors.isEmpty || failures == .goOn)
  }

  private func runNextStage() {
    guard goesOn, nextStage < plan.stages.count else { return finish() }
    let stage = plan.stages[nextStage]
    nextStage += 1
    switch stage {
    case .serial(let steps):
      run(steps[...]) { [self] in runNextStage() }
    case .lanes(let lanes):
      begin(lanes)
    }
  }

  private func finish() {
    guard !isFinished else { return }
    isFinished = true
    completion(self)
  }

  // MARK: Lanes

  private func begin(_ lanes: [Plan.Lane]) {
    let services = Set(lanes.compactMap(\.service))
    lanesLeft = lanes.count
    unstarted = Set(lanes.filter { $0.steps.contains(where: \.isStart) }.compactMap(\.service))
    // All of the order is known before the first lane begins: lanes may end before their begin returns.
    var first: [Plan.Lane] = []
    for lane in lanes {
      let ahead = Set(lane.waitsFor.compactMap(\.lane)).intersection(services)
      guard !ahead.isEmpty else {
        first.append(lane)
        continue
      }
      let waiting = WaitingLane(lane, lanesAhead: ahead.count)
      for service in ahead { behind[service, default: []].append(waiting) }
    }
    for lane in first { begin(lane) }
  }

  private func begin(_ lane: Plan.Lane) {
    awaitConditions(lane.waitsFor[...]) { [self] isOpen in
      guard isOpen else { return laneEnded(lane) }
      run(lane.steps[...]) { [self] in laneEnded(lane) }
    }
  }

  private func awaitConditions(_ gates: ArraySlice<Plan.Gate>, then proceed: @escaping (Bool) -> Void) {
    guard goesOn else { return proceed(false) }
    guard let gate = gates.first else { return proceed(true) }
    guard case .condition(let instance, let condition, let isRequired) = gate else {
      return awaitConditions(gates.dropFirst(), then: proceed)
    }
    // An instance that this stage is to start is not judged by how its former run ended.
    guard !unstarted.contains(instance) else {
      afterStart[instance, default: []].append { [self] in awaitConditions(gates, then: proceed) }
      return
    }
    host.await(condition, of: instance) { [self] error in
      if let error, isRequired {
        note(error)
        return proceed(false)
      }
      if let error { report(OperationEvent(.warning, service: instance, text: "\(error)")) }
      awaitConditions(gates.dropFirst(), then: proceed)
    }
  }

  private func laneEnded(_ lane: Plan.Lane) {
    if let service = lane.service {
      startEnded(service)
      for waiting in behind.removeValue(forKey: service) ?? [] {
        waiting.lanesAhead -= 1
        if waiting.lanesAhead == 0 { begin(waiting.lane) }
      }
    }
    // This lane counts until here: none of those that it let begin can have been the last.
    lanesLeft -= 1
    if lanesLeft == 0 { runNextStage() }
  }

  /// A service was started, or will not be.
  private func startEnded(_ service: String) {
    unstarted.remove(service)
    for proceed in afterStart.removeValue(forKey: service) ?? [] { proceed() }
  }

  // MARK: Steps

  private func ready(_ service: DesiredService) -> OperationEvent {
    OperationEvent(.service, service: service.name, text: host.isReadyOnceStarted(service) ? "started" : "ready")
  }

  private func run(_ steps: ArraySlice<Step>, then proceed: @escaping () -> Void) {
    guard goesOn, let first = steps.first else { return proceed() }
    let after: (StackError?, Int) -> Void = { [self] error, count in
      if let error { note(error) }
      run(steps.dropFirst(count), then: proceed)
    }
    switch first.wait {
    case .readiness(let service):
      host.awaitReady(service) { [self] error in
        if error == nil, goesOn { report(ready(service)) }
        after(error, 1)
      }
    case .end(let service):
      report(OperationEvent(.service, service: service.name, text: "stopping"))
      begun.append(first)
      host.stop(service) { after($0, 1) }
    case nil:
      // One trip to a worker for all that blocks; in tear-down each by itself, so that one failure skips none.
      let batch = failures == .goOn ? [first] : Array(steps.prefix { $0.wait == nil })
      let starting = batch.first(where: \.isStart)?.service
      host.apply(batch) { [self] begun, error in
        self.begun += begun
        if let error { note(error) }
        if let starting { startEnded(starting) }
        after(nil, batch.count)
      }
    }
  }
}

extension Plan.Gate {
  fileprivate var lane: String? {
    guard case .lane(let service) = self else { return nil }
    return service
  }
}
