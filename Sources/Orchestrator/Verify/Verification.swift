import Addresses
import Intent
import Kernel
import Loop
import Vocabulary

/// The findings of `verify`: what a stack promises beside what packets do.
package struct Verification: Sendable {
  /// The stack's name.
  let stack: String
  let rows: [ReachPeer]
  let columns: [ReachColumn]
  let findings: [ReachFinding]
  let expectations: [ExpectationFinding]
  /// Notes for people: changes by hand, and questions without an answer.
  package let notes: [String]
  /// The time that the probes took.
  let duration: Duration

  var differences: [ReachFinding] { findings.filter(\.isWrong) }
  var broken: [ExpectationFinding] { expectations.filter { !$0.isMet } }

  package var wrong: Int { differences.count + broken.count }
  package var total: Int { findings.count + expectations.count }

  /// `0 wrong of 81`
  var summary: String { "\(wrong) wrong of \(total)" }
}

/// The part of a stack that is verified.
package struct VerifySelection: Sendable {
  /// Services, instances, `host` or `internet`: checks between two of them, or with the one that is named. Empty for all.
  package var only: [String] = []

  package init() {}

  func contains(_ check: ReachCheck, in stack: DesiredStack) -> Bool {
    guard !only.isEmpty else { return true }
    let destination: String =
      switch check.column.target {
      case .service(let name, _, _), .linked(let name, _, _), .published(_, let name): name
      case .host: "host"
      case .internet: "internet"
      }
    let (source, target) = (isNamed("\(check.source)", stack), isNamed(destination, stack))
    return only.count == 1 ? source || target : source && target
  }

  private func isNamed(_ name: String, _ stack: DesiredStack) -> Bool {
    only.contains(name) || stack.service(named: name).map { only.contains($0.service) } ?? false
  }
}

/// Puts a stack's checks to the network.
package struct Verifier {
  package let stack: DesiredStack
  package let prober: ReachProber
  package let nextHop: IPAddress?
  package let tracking: BridgeTracking

  package init(stack: DesiredStack, prober: ReachProber, nextHop: IPAddress?, tracking: BridgeTracking) {
    self.stack = stack
    self.prober = prober
    self.nextHop = nextHop
    self.tracking = tracking
  }

  package func verify(_ selection: VerifySelection) throws(KernelError) -> Verification {
    let matrix = ReachMatrix(stack, nextHop: nextHop, tracking: tracking)
    return try ask(matrix.checks().filter { selection.contains($0, in: stack) }, rows: matrix.rows, matrix.columns)
  }

  /// Asks everything at once, and beside it whether the host itself comes as far as the services are to come.
  ///
  /// - Parameter judging: whether the lines of `expect:` are looked at.
  package func ask(
    _ checks: [ReachCheck], rows: [ReachPeer], _ columns: [ReachColumn], judging: Bool = true
  ) throws(KernelError) -> Verification {
    let began = EventLoop.Instant.now
    let inquiry = ReachInquiry(stack, checks, nextHop: nextHop)
    let answers = try prober.ask(inquiry.questions)
    return inquiry.verification(
      answers, rows: rows, columns, judging: judging, duration: began.duration(to: .now))
  }
}

extension Traffic: CustomStringConvertible {
  package var description: String { self == .echo ? "icmp" : "\(transport) \(port)" }
}
