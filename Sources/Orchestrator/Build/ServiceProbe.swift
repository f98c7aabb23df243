import Glibc
import Kernel
import Loop
import Runtime

/// A health check's command as it was started.
struct LaunchedProbe: Sendable {
  let command: CapturedCommand
  /// Ends all that it has left running; false when that has to be tried again.
  let clear: @Sendable () -> Bool
}

/// Runs a health check's command inside its service: with the service's environment, user and folder, in a control group of
/// its own, so that nothing of it is left when it has ended or its time is up.
package final class ServiceProbe: ProbeRunner {
  private let loop: EventLoop
  private let pool: WorkerPool
  private let launch: @Sendable () throws(KernelError) -> LaunchedProbe
  private var current: Attempt?

  init(
    loop: EventLoop, pool: WorkerPool, launch: @escaping @Sendable () throws(KernelError) -> LaunchedProbe
  ) {
    self.loop = loop
    self.pool = pool
    self.launch = launch
  }

  package func start(timeout: Duration, completion: @escaping (ProbeOutcome) -> Void) {
    let attempt = Attempt(loop: loop, timeout: timeout) { [weak self] outcome in
      self?.current = nil
      completion(outcome)
    }
    current = attempt
    do {
      try pool.submit { [launch] in
        Result { () throws(KernelError) in try launch() }
      } completion: { launched in
        attempt.launched(launched)
      }
    } catch {
      attempt.launched(.failure(error))
    }
  }

  package func cancel() {
    current?.cancel()
    current = nil
  }
}

/// One run of the command. What the loop watches for keeps it alive until the command has been reaped, cancelled or not.
private final class Attempt {
  private static let outputLimit = 4096
  /// The pause between two reads of output that is thrown away, once there is enough. A chatty probe must neither block
  /// nor keep the supervisor busy.
  private static let discardPause = Duration.milliseconds(20)
  /// The time that a service may need to end after its first process. Its end kills the probes in it.
  private static let endOfService = Duration.milliseconds(100)

  private static let pause = Duration.milliseconds(100)
  private static let clearings = 50

  private let loop: EventLoop
  private let timeout: Duration
  private var completion: ((ProbeOutcome) -> Void)?
  private var command: CapturedCommand?
  private var clear: () -> Bool = { true }
  private var processToken: EventLoop.Token?
  private var outputToken: EventLoop.Token?
  private var deadline: EventLoop.TimerID?
  private var output: [UInt8] = []

  init(
    loop: EventLoop, timeout: Duration, completion: @escaping (ProbeOutcome) -> Void
  ) {
    self.loop = loop
    self.timeout = timeout
    self.completion = completion
  }

  func launched(_ result: Result<LaunchedProbe, KernelError>) {
    switch result {
    case .failure(let error):
      finish(ProbeOutcome(exitCode: -1, output: "could not be started: \(error)"))
    case .success(let probe):
      (command, clear) = (probe.command, probe.clear)
      do {
        try watch(probe.command)
      } catch {
        end()
        reap()
        finish(ProbeOutcome(exitCode: -1, output: "could not be watched: \(error)"))
      }
    }
  }

  private func watch(_ command: CapturedCommand) throws(KernelError) {
    processToken = try loop.register(command.pidfd.fileDescriptor, interest: .read) { [self] _ in ended() }
    guard completion != nil else { return end() }
    outputToken = try loop.register(command.output.fileDescriptor, interest: .read) { [self] _ in takeOutput() }
    deadline = loop.schedule(after: timeout) { [self] in
      deadline = nil
      end()
      finish(.timedOut(after: timeout))
    }
  }

  func cancel() {
    completion = nil
    end()
  }

  /// Ends the command with all that it has started. It is reaped when it is gone.
  private func end() {
    guard let command else { return }
    stopReading()
    if let deadline { loop.cancel(deadline) }
    deadline = nil
    command.kill()
    _ = clear()
  }

  // MARK: Output

  private func takeOutput() {
    let (count, isMore) = read()
    guard count != 0, output.count >= Self.outputLimit, isMore else { return count == 0 ? stopReading() : () }
    stopReading()
    discard()
  }

  private func discard() {
    guard completion != nil, read().isMore else { return }
    loop.schedule(after: Self.discardPause) { [weak self] in self?.discard() }
  }

  /// Takes what there is, at most a pipe's worth. `isMore` unless all who write to it are gone.
  @discardableResult
  private func read() -> (count: Int, isMore: Bool) {
    guard let command else { return (0, false) }
    return withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
      let count = Glibc.read(command.output.rawValue, buffer.baseAddress, buffer.count)
      if count > 0 { output += buffer.prefix(min(count, Self.outputLimit - output.count)) }
      return (count, count > 0 || count < 0 && (errno == EAGAIN || errno == EINTR))
    }
  }

  private func stopReading() {
    if let outputToken { loop.remove(outputToken) }
    outputToken = nil
  }

  // MARK: The end

  private func ended() {
    guard let command else { return }
    let outcome: ProbeOutcome
    do throws(KernelError) {
      guard let status = try command.end() else { return }
      if output.count < Self.outputLimit { read() }
      outcome = ProbeOutcome(exitCode: Int(status.shellCode), output: String(decoding: output, as: UTF8.self))
    } catch {
      outcome = ProbeOutcome(exitCode: error.execShellCode.map { Int($0) } ?? -1, output: "\(error)")
    }
    stopReading()
    if let processToken { loop.remove(processToken) }
    if let deadline { loop.cancel(deadline) }
    (processToken, deadline, self.command) = (nil, nil, nil)
    clearAll(attempts: Self.clearings)
    guard completion != nil, outcome.exitCode == 128 + Int(SIGKILL) else { return finish(outcome) }
    // Perhaps all of the service is on its end: then this says nothing about its health, and is cancelled any moment.
    loop.schedule(after: Self.endOfService) { [self] in finish(outcome) }
  }

  /// For a command whose end cannot be watched: its remains would keep the service's first process from ending.
  private func reap() {
    if let processToken { loop.remove(processToken) }
    processToken = nil
    guard let command, case .success(nil) = Result(catching: { () throws(KernelError) in try command.end() }) else {
      self.command = nil
      return
    }
    loop.schedule(after: Self.pause) { [self] in reap() }
  }

  /// Killed processes take a moment to go, so removal is tried again.
  private func clearAll(attempts: Int) {
    guard !clear(), attempts > 0 else { return }
    loop.schedule(after: Self.pause) { [self] in clearAll(attempts: attempts - 1) }
  }

  private func finish(_ outcome: ProbeOutcome) {
    let answer = completion
    completion = nil
    answer?(outcome)
  }
}
