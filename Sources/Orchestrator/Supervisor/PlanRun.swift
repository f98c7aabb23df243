import Kernel

/// What a plan needs of the supervisor that runs it.
protocol PlanHost: AnyObject {
  /// Applies steps that block, one after the other, away from the loop; `completion` gets, on the loop, those that were
  /// begun and what stopped the last of them.
  func apply(_ steps: [Step], completion: @escaping (_ begun: [Step], StackError?) -> Void)
  func awaitReady(_ service: DesiredService, completion: @escaping (StackError?) -> Void)
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
  private var lanesDone: Set<String> = []
  private var waitingForLanes: [Plan.Lane] = []

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
      lanesLeft = lanes.count
      lanesDone = []
      waitingForLanes = []
      for lane in lanes { begin(lane) }
    }
  }

  private func finish() {
    guard !isFinished else { return }
    isFinished = true
    completion(self)
  }

  // MARK: Lanes

  private func begin(_ lane: Plan.Lane) {
    let isOpen = lane.waitsFor.allSatisfy { gate in
      guard case .lane(let name) = gate else { return true }
      return lanesDone.contains(name)
    }
    guard isOpen else { return waitingForLanes.append(lane) }
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
    lanesLeft -= 1
    lanesDone.insert(lane.service)
    // A lane may end before its begin returns: only the very last one goes on to the next stage.
    guard lanesLeft > 0 else { return runNextStage() }
    let waiting = waitingForLanes
    waitingForLanes = []
    for lane in waiting { begin(lane) }
  }

  // MARK: Steps

  private func run(_ steps: ArraySlice<Step>, then proceed: @escaping () -> Void) {
    guard goesOn, let first = steps.first else { return proceed() }
    let after: (StackError?, Int) -> Void = { [self] error, count in
      if let error { note(error) }
      run(steps.dropFirst(count), then: proceed)
    }
    switch first {
    case .awaitReady(let service):
      host.awaitReady(service) { after($0, 1) }
    case .stop(let service):
      report(OperationEvent(.service, service: service.name, text: "stopping"))
      begun.append(first)
      host.stop(service) { after($0, 1) }
    default:
      // One trip to a worker for all that blocks; in tear-down each by itself, so that one failure skips none.
      let batch = failures == .goOn ? [first] : Array(steps.prefix { !$0.waitsOnLoop })
      if let service = first.service {
        report(OperationEvent(.service, service: service, text: "starting"))
      }
      host.apply(batch) { [self] begun, error in
        self.begun += begun
        after(error, batch.count)
      }
    }
  }
}

extension Step {
  /// Steps that wait for something to happen, rather than for the kernel to return.
  var waitsOnLoop: Bool {
    switch self {
    case .awaitReady, .stop: true
    default: false
    }
  }
}

extension Plan {
  /// The way back from steps that were begun: each one's undo, the last first, services side by side no more.
  static func undoing(_ begun: [Step]) -> Plan {
    var seen: Set<Step> = []
    let stops = begun.reversed().compactMap(\.undo).filter { seen.insert($0).inserted }
    let lanes = stops.compactMap { step -> Lane? in
      guard case .stop(let service) = step else { return nil }
      return Lane(service: service.name, waitsFor: [], steps: [step])
    }
    return Plan(stages: [.lanes(lanes), .serial(stops.filter { !$0.waitsOnLoop })])
  }
}
