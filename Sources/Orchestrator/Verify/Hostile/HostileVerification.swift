import Kernel
import Loop
import Netfilter
import Vocabulary

/// The result of `verify --hostile`: the frames that arrived, and the guards that should have stopped them.
package struct HostileVerification: Sendable {
  /// The stack's name.
  let stack: String
  let kinds: [Kind]
  let findings: [Finding]
  /// Attackers that nothing can be said about, and why.
  let unasked: [String]
  let notes: [String]
  let duration: Duration

  /// The result of one kind of attack. Each frame counts once for each place where it must not arrive.
  struct Kind: Hashable, Sendable {
    var kind: HostileClass
    var tried: Int
    var open: Int
  }

  /// The frames of one kind that one attacker got through.
  struct Finding: Hashable, Sendable {
    var kind: HostileClass
    var attacker: String
    var victims: [String]
    /// The frames that were sent, each once.
    var sent: [String]
    /// True if a bridge looked for another's address at the attacker's port.
    var hasMoved: Bool
    var guards: [HostileGuard]
    /// Those of the guards that do not stand.
    var missing: Set<HostileGuard> = []
  }

  package var open: Int { kinds.map(\.open).reduce(0, +) }
  package var total: Int { kinds.map(\.tried).reduce(0, +) }
  /// True if some attackers could not be asked.
  package var isIncomplete: Bool { !unasked.isEmpty }

  /// `0 open of 812`
  var summary: String { "\(open) open of \(total)" }
}

/// Puts a plan's frames to the network.
package struct HostileVerifier {
  package let plan: HostilePlan
  package let places: [String: ProbePlace]
  package let timing: ProbeTiming

  package init(_ plan: HostilePlan, places: [ProbePlace], timing: ProbeTiming) {
    self.plan = plan
    self.places = Dictionary(places.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.timing = timing
  }

  /// The guards of the host, as they stand.
  package struct Guards {
    /// The chains of a table; none where the table does not stand.
    var chains: (NftTableName) throws(KernelError) -> [String]
    /// True if a filter of tc(8) stands at a link, for packets that leave by it or that come in.
    var hasFilter: (_ link: String, _ leaving: Bool) throws(KernelError) -> Bool

    package init(
      chains: @escaping (NftTableName) throws(KernelError) -> [String],
      hasFilter: @escaping (_ link: String, _ leaving: Bool) throws(KernelError) -> Bool
    ) {
      (self.chains, self.hasFilter) = (chains, hasFilter)
    }

    fileprivate func stands(_ place: HostileGuard.FilterPlace) throws(KernelError) -> Bool {
      switch place {
      case .arriving(let link): try hasFilter(link, false)
      case .leaving(let link): try hasFilter(link, true)
      }
    }
  }

  package func verify(_ guards: Guards) throws(KernelError) -> HostileVerification {
    let began = EventLoop.Instant.now
    let outcome = try HostileRun(plan, places: places, timing: timing).finish()
    var findings = Self.findings(plan.attempts, outcome)
    var standing: [NftTableName: [String]] = [:]
    for index in findings.indices {
      for one in findings[index].guards {
        guard case .chain(let chain, let table) = one else { continue }
        if standing[table] == nil { standing[table] = try guards.chains(table) }
        if standing[table]?.contains(chain) != true { findings[index].missing.insert(one) }
      }
      // Frames that a chain has seen pass them by. So only those that are gone are named.
      for one in plan.filters(from: findings[index].attacker, to: findings[index].victims) {
        guard case .filter(let place) = one, try !guards.stands(place) else { continue }
        findings[index].guards.append(one)
        findings[index].missing.insert(one)
      }
    }
    return HostileVerification(
      stack: plan.stack.name, kinds: Self.kinds(plan.attempts, outcome), findings: findings,
      unasked: outcome.unasked.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" },
      notes: plan.stack.interventions + plan.notes, duration: began.duration(to: .now))
  }

  private static func kinds(
    _ attempts: [HostileAttempt], _ outcome: HostileOutcome
  ) -> [HostileVerification.Kind] {
    HostileClass.allCases.compactMap { kind in
      let own = attempts.indices.filter { attempts[$0].kind == kind }
      guard !own.isEmpty else { return nil }
      return HostileVerification.Kind(
        kind: kind, tried: own.map { attempts[$0].victims.count }.reduce(0, +),
        open: own.map { max(outcome.arrivals[$0]?.count ?? 0, outcome.moved.contains($0) ? 1 : 0) }.reduce(0, +))
    }
  }

  /// By kind and attacker, in the order of the attempts.
  static func findings(_ attempts: [HostileAttempt], _ outcome: HostileOutcome) -> [HostileVerification.Finding] {
    struct Key: Hashable {
      var kind: HostileClass
      var attacker: String
    }
    var order: [Key] = []
    var findings: [Key: HostileVerification.Finding] = [:]
    for (index, attempt) in attempts.enumerated() {
      let (arrived, hasMoved) = (outcome.arrivals[index] ?? [], outcome.moved.contains(index))
      guard !arrived.isEmpty || hasMoved else { continue }
      let key = Key(kind: attempt.kind, attacker: attempt.attacker)
      if findings[key] == nil { order.append(key) }
      var finding =
        findings[key]
        ?? HostileVerification.Finding(
          kind: attempt.kind, attacker: attempt.attacker, victims: [], sent: [], hasMoved: false, guards: [])
      finding.victims = (finding.victims + arrived.sorted()).uniqued()
      finding.sent = (finding.sent + [attempt.words]).uniqued()
      finding.hasMoved = finding.hasMoved || hasMoved
      finding.guards = (finding.guards + attempt.guards).uniqued()
      findings[key] = finding
    }
    return order.compactMap { findings[$0] }
  }
}

extension HostilePlan {
  /// The cases that are not tried, for people.
  var notes: [String] {
    let parents = stack.services.flatMap { service in
      service.attachments.filter { $0.parent != nil }.map { "\(service.name) on \($0.network)" }
    }
    return
      (parents.isEmpty
      ? []
      : ["not tried: macvlan passes the host's guards by (\(parents.prefix(5).joined(separator: ", ")))"])
      + (leftOut == 0 ? [] : ["\(leftOut) pairs are left out; --only a,b tries all frames between some"])
  }
}
