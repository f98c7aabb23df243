/// The decision whether a network in which daemons route has come to rest, from one look to the next. Pure.
///
/// Two equal looks do not tell: a daemon waits for its neighbours without a change, OSPF up to 40 seconds (RFC 2328, 9.4).
/// So where something is without a way, nothing may have changed for long.
package struct Settling: Sendable {
  /// The longest wait for the network to come to rest.
  private let limit: Duration
  private let began: ContinuousClock.Instant
  private var last: Look
  private var unchangedSince: ContinuousClock.Instant
  private var hasAgreed = false

  /// The parts of a verification that are compared.
  struct Look: Hashable, Sendable {
    var observations: [String: Bool]
    /// Differences between the namespaces and the file: routes among them.
    var notes: [String]
    var wrong: Int
    var strays: Int
  }

  package init(_ verification: Verification, limit: Duration, at moment: ContinuousClock.Instant) {
    self.limit = limit
    (began, unchangedSince, last) = (moment, moment, verification.look)
  }

  /// Takes another look into account.
  package mutating func add(_ verification: Verification, at moment: ContinuousClock.Instant) {
    hasAgreed = verification.look == last
    if !hasAgreed { unchangedSince = moment }
    last = verification.look
  }

  /// True if no further look is needed: all is at rest, or the time is over.
  package func isOver(at moment: ContinuousClock.Instant) -> Bool {
    if began.duration(to: moment) >= limit { return true }
    guard hasAgreed, last.wrong == 0 else { return false }
    return last.strays == 0 || unchangedSince.duration(to: moment) >= limit / 2
  }
}

extension Verification {
  fileprivate var look: Settling.Look {
    Settling.Look(observations: observations, notes: notes, wrong: wrong, strays: strays)
  }

  /// The number of pairs of services between which no rule forbids packets, and none get through.
  private var strays: Int {
    findings.count { finding in
      guard case .service = finding.check.source, finding.check.column.target.service != nil else { return false }
      return !finding.isObserved && finding.check.probes.contains { !$0.forecast.isRuledOut }
    }
  }
}
