/// A check with what was found.
struct ReachFinding: Sendable {
  var check: ReachCheck
  /// To each of the check's questions.
  var answers: [ReachAnswer]
  /// True if the answers decide nothing. Then the prediction counts.
  var isUndecided = false

  var isPredicted: Bool { check.isPredicted }

  /// True if any of the packets came through; ``isWrong`` says whether the answers disagree.
  var isObserved: Bool { isUndecided ? isPredicted : answers.contains(where: reaches) }

  var isWrong: Bool { !complaints.isEmpty }

  /// True if the packets came through to some of the addresses and not to others.
  var isObservedInPart: Bool { !isUndecided && Set(answers.map(reaches)).count == 2 }

  /// A line for each answer that differs from the prediction.
  var complaints: [String] {
    zip(check.probes, isUndecided ? [] : answers).compactMap { probe, answer in complaint(probe, answer) }
  }

  /// A line for each answer.
  var statements: [String] {
    zip(check.probes, answers).map { probe, answer in
      complaint(probe, answer) ?? "\(probe.question.destination) \(answer.words)"
    }
  }

  /// Nil when it is as predicted.
  private func complaint(_ probe: ReachProbe, _ answer: ReachAnswer) -> String? {
    if case .failed(let error) = answer { return "\(error)" }
    let destination = probe.question.destination
    guard reaches(answer) == probe.forecast.isAllowed else { return "\(destination) \(answer.words)" }
    guard case .answered(let arrival) = answer, let seen = arrival.translatedSource, !probe.forecast.isTranslated
    else { return nil }
    return "\(destination) was reached, but saw \(seen) as the sender"
  }

  private func reaches(_ answer: ReachAnswer) -> Bool {
    switch answer {
    case .answered(let arrival): arrival.witness != .stranger
    // It came as far as a machine that is not ours, and that one has nothing on the port.
    case .refused(.port): check.column.target == .internet
    default: false
    }
  }
}

extension ReachAnswer {
  /// The result, as it follows an address: `answered`, `did not answer`.
  var words: String {
    switch self {
    case .answered(let arrival):
      switch arrival.witness {
      case .listener, .service: "answered"
      case .stranger: "answered, but the packets never came to the service"
      }
    case .refused(.port): "refused (reset or port unreachable)"
    case .refused(.path): "refused (unreachable or prohibited)"
    case .silent: "did not answer"
    case .noRoute: "has no route that leads there"
    case .failed(let error): "\(error)"
    }
  }

  /// The same in a word, for machines.
  var keyword: String {
    switch self {
    case .answered(let arrival): arrival.witness == .stranger ? "misled" : "answered"
    case .refused: "refused"
    case .silent: "silent"
    case .noRoute: "no-route"
    case .failed: "failed"
    }
  }
}
