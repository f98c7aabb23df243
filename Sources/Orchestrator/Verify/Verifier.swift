import Addresses
import Intent
import Kernel
import Loop
import Vocabulary

/// Puts a stack's checks to the network.
package struct Verifier {
  package let stack: DesiredStack
  package let prober: ReachProber
  package let nextHop: IPAddress?
  /// Notes for the report: changes made by hand, and differences from the file.
  package let notes: [String]
  /// A description of the machine that may answer for an address of the stack in its place. It follows from the host's
  /// routes.
  package var impostor: (IPAddress) -> String? = { _ in nil }

  package init(stack: DesiredStack, prober: ReachProber, nextHop: IPAddress?, notes: [String] = []) {
    self.stack = stack
    self.prober = prober
    self.nextHop = nextHop
    self.notes = notes
  }

  /// The cells of the matrix that a selection contains.
  package static func checks(_ matrix: ReachMatrix, _ selection: VerifySelection, of stack: DesiredStack)
    -> [ReachCheck]
  {
    let scope = VerifyScope(selection, of: stack, ExpectationMembers(stack))
    return matrix.checks(where: scope.contains)
  }

  /// Asks everything at once, and beside it whether the host itself comes as far as the services are to come.
  ///
  /// - Parameter selection: whose lines of `expect:` are looked at; nil for none.
  package func ask(
    _ checks: [ReachCheck], of matrix: ReachMatrix, judging selection: VerifySelection?
  ) throws(KernelError) -> Verification {
    let began = EventLoop.Instant.now
    let inquiry = ReachInquiry(stack, checks, nextHop: nextHop)
    let questions = inquiry.questions
    let answers = zip(questions, try prober.ask(questions)).map { exposed($1, to: $0) }
    return inquiry.verification(
      answers, of: matrix, judging: selection, notes: notes, duration: began.duration(to: .now))
  }

  /// Names who answered in another's place.
  private func exposed(_ answer: ReachAnswer, to question: ReachQuestion) -> ReachAnswer {
    guard case .answered(var arrival) = answer, arrival.witness == .stranger else { return answer }
    arrival.impostor = impostor(question.destination)
    return .answered(arrival)
  }
}

extension Traffic: CustomStringConvertible {
  package var description: String { self == .echo ? "icmp" : "\(transport) \(port)" }
}
