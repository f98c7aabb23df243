import Addresses

/// A check with what was found.
struct ReachFinding: Sendable {
  var check: ReachCheck
  /// To each of the check's questions.
  var answers: [ReachAnswer]
  /// True if the answers say nothing, so that what is promised must do.
  var isUndecided = false

  /// The predicted and the observed result in one address family.
  struct Verdict: Hashable, Sendable {
    var isV4: Bool
    var isPredicted: Bool
    /// True if any of the packets came through.
    var isObserved: Bool
    /// False if the result cannot be predicted.
    var isDecided: Bool
    var isWrong: Bool

    var family: String { isV4 ? "IPv4" : "IPv6" }
  }

  /// One for each family that both ends have, IPv4 first.
  var verdicts: [Verdict] {
    [true, false].compactMap { isV4 in
      let places = check.probes.indices.filter { check.probes[$0].question.destination.isV4 == isV4 }
      guard !places.isEmpty else { return nil }
      let isPredicted = places.contains { check.probes[$0].forecast.isAllowed }
      return Verdict(
        isV4: isV4, isPredicted: isPredicted,
        isObserved: isUndecided ? isPredicted : places.contains { reaches(answers[$0]) },
        isDecided: places.contains { check.probes[$0].forecast.isDecided },
        isWrong: !isUndecided && places.contains { complaint(at: $0) != nil })
    }
  }

  /// The one verdict of a cell with one family, or whose families agree; nil where they do not.
  var verdict: Verdict? {
    let verdicts = verdicts
    guard let first = verdicts.first else { return nil }
    let isAgreed = verdicts.allSatisfy {
      ($0.isPredicted, $0.isObserved, $0.isDecided) == (first.isPredicted, first.isObserved, first.isDecided)
    }
    guard isAgreed else { return nil }
    var whole = first
    whole.isWrong = verdicts.contains(where: \.isWrong)
    return whole
  }

  var isPredicted: Bool { check.isPredicted }

  /// True if any of the packets came through; see ``isWrong`` for where they disagree.
  var isObserved: Bool { isUndecided ? isPredicted : answers.contains(where: reaches) }

  var isDecided: Bool { check.probes.contains { $0.forecast.isDecided } }

  var isWrong: Bool { !isUndecided && check.probes.indices.contains { complaint(at: $0) != nil } }

  /// True if the packets came through to some of the addresses and not to others of the same family.
  var isObservedInPart: Bool {
    guard !isUndecided else { return false }
    return [true, false].contains { isV4 in
      let own = zip(check.probes, answers).filter { $0.0.question.destination.isV4 == isV4 }
      return Set(own.map { reaches($0.1) }).count == 2
    }
  }

  /// A sentence for each answer that differs from its prediction.
  var complaints: [String] { isUndecided ? [] : check.probes.indices.compactMap { complaint(at: $0) } }

  /// A sentence for each answer.
  var statements: [String] { check.probes.indices.map { complaint(at: $0) ?? statement(at: $0) } }

  /// The finding with some of its probes only, such as those of one address family.
  func narrowed(to places: [Int]) -> ReachFinding {
    var part = self
    part.check.probes = places.map { check.probes[$0] }
    part.answers = places.map { answers[$0] }
    return part
  }

  /// Nil when it is as predicted.
  private func complaint(at place: Int) -> String? {
    let (probe, answer) = (check.probes[place], answers[place])
    if case .failed(let error) = answer { return "\(error)" }
    guard probe.forecast.isDecided else { return nil }
    guard reaches(answer) == probe.forecast.isAllowed else { return statement(at: place) }
    guard case .answered(let arrival) = answer, let seen = arrival.translatedSource, !probe.forecast.isTranslated
    else { return nil }
    return "\(probe.question.destination) was reached, but saw \(seen) as the sender"
  }

  func statement(at place: Int) -> String {
    answers[place].statement(of: check.source, check.probes[place].question.destination)
  }

  func reaches(_ answer: ReachAnswer) -> Bool {
    switch answer {
    case .answered(let arrival): arrival.witness != .stranger
    // It came as far as a machine that is not ours, and that one has nothing on the port.
    case .refused(.port): check.column.target == .internet
    default: false
    }
  }
}

extension ReachAnswer {
  /// The answer as a sentence: `10.0.0.2 answered`, `web1 has no route to 10.0.0.2`.
  func statement(of source: ReachPeer, _ destination: IPAddress) -> String {
    switch self {
    case .answered(let arrival):
      switch arrival.witness {
      case .listener, .service: "\(destination) answered"
      case .stranger:
        "somebody else answered for \(destination)" + (arrival.impostor.map { ", \($0)" } ?? "")
          + ": the packets never came to the service"
      }
    case .refused(.port): "\(destination) refused (reset or port unreachable)"
    case .refused(.path): "\(destination) refused (unreachable or prohibited)"
    case .silent: "\(destination) did not answer"
    case .noRoute: "\(source) has no route to \(destination)"
    case .failed(let error): "\(destination): \(error)"
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
