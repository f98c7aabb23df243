import Loop
import Vocabulary

/// The callers that wait for one service to be ready, each as long as it likes. Lives on the loop's thread.
///
/// The probe goes on when nobody waits any longer: a service that is ready late is ready all the same.
final class ReadinessWait {
  private struct Waiter {
    let completion: (StackError?) -> Void
    let deadline: EventLoop.TimerID
  }

  private let loop: EventLoop
  private var waiters: [Int: Waiter] = [:]
  private var lastNumber = 0

  init(loop: EventLoop) {
    self.loop = loop
  }

  /// - Parameters:
  ///   - lateness: what is wrong if the time goes by without an answer.
  ///   - completion: gets why the service is not ready; nil when it is, or when nobody is interested any more.
  func add(
    for timeout: Duration, lateness: @escaping () -> StackError, completion: @escaping (StackError?) -> Void
  ) {
    lastNumber += 1
    let number = lastNumber
    let deadline = loop.schedule(after: timeout) { [weak self] in
      guard let waiter = self?.waiters.removeValue(forKey: number) else { return }
      waiter.completion(lateness())
    }
    waiters[number] = Waiter(completion: completion, deadline: deadline)
  }

  /// Answers all of them, in the order in which they came.
  func answer(_ error: StackError?) {
    let answered = waiters.sorted { $0.key < $1.key }
    waiters = [:]
    for (_, waiter) in answered {
      loop.cancel(waiter.deadline)
      waiter.completion(error)
    }
  }

  /// Lets go of all without an answer.
  func close() {
    for waiter in waiters.values { loop.cancel(waiter.deadline) }
    waiters = [:]
  }
}
