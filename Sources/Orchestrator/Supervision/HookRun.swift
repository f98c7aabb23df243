import Build
import Intent
import Vocabulary

/// The hooks of one service at one moment, one after the other. Lives on the loop's thread, and keeps itself alive while one
/// runs.
final class HookRun {
  private let subject: String
  private let moment: DesiredHook.Moment
  private let limit: Duration
  private let makeRunner: (DesiredHook) -> any ProbeRunner
  private var completion: ((StackError?) -> Void)?
  private var current: (any ProbeRunner)?

  /// - Parameters:
  ///   - limit: how long each may take. Then it is ended and counts as failed.
  ///   - completion: gets the first failure, after which no further hook runs; nil when all have ended with 0, and when they
  ///     were cancelled.
  init(
    of subject: String, at moment: DesiredHook.Moment, limit: Duration,
    makeRunner: @escaping (DesiredHook) -> any ProbeRunner, completion: @escaping (StackError?) -> Void
  ) {
    self.subject = subject
    self.moment = moment
    self.limit = limit
    self.makeRunner = makeRunner
    self.completion = completion
  }

  func start(_ hooks: ArraySlice<DesiredHook>) {
    guard let hook = hooks.first else { return finish(nil) }
    let runner = makeRunner(hook)
    current = runner
    runner.start(timeout: limit) { [self] outcome in
      guard outcome.exitCode == 0 else { return finish(failure(of: hook, outcome)) }
      start(hooks.dropFirst())
    }
  }

  /// Ends the one that runs.
  func cancel() {
    current?.cancel()
    finish(nil)
  }

  private func finish(_ error: StackError?) {
    current = nil
    let answer = completion
    completion = nil
    answer?(error)
  }

  private func failure(of hook: DesiredHook, _ outcome: ProbeOutcome) -> StackError {
    let how = outcome.exitCode < 0 ? outcome.output : "exited with code \(outcome.exitCode)"
    var error = StackError(
      subject, "\(moment.rawValue) `\(hook.command.joined(separator: " "))` \(how)",
      remedy: "correct it in the stack file, or try it by hand: stack exec")
    if outcome.exitCode >= 0 {
      error.logLines = outcome.output.split(separator: "\n").suffix(10).map(String.init)
    }
    return error
  }
}
