import Intent
import Vocabulary

extension ProbeTiming {
  /// Waits as much longer as the stack's links delay packets, and tries as much more often as they lose them.
  package init(_ stack: DesiredStack) {
    self.init()
    let links = stack.services.flatMap(\.attachments).map(\.currentConditions)
    // There and back over the two slowest.
    let delays = links.map { link in
      LinkDirection.allCases.reduce(Duration.zero) { $0 + link[$1].delay + link[$1].jitter }
    }
    patience += delays.sorted(by: >).prefix(2).reduce(.zero, +)
    let loss = links.flatMap { link in LinkDirection.allCases.map { link[$0].loss.partsPerMillion } }.max() ?? 0
    // A question and its answer pass four ends of links: as many tries as leave one in a million unanswered.
    let passed = 1 - Double(loss) / 1_000_000
    let isMissed = 1 - passed * passed * passed * passed
    var (missed, needed) = (1.0, 0)
    while missed > 1e-6, needed < Self.mostTries {
      missed *= isMissed
      needed += 1
    }
    tries = max(tries, needed)
  }

  private static let mostTries = 40
}
