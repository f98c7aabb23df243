import Addresses
import Kernel

/// The packets of a probe: a connection, a datagram, or an echo request.
package enum Traffic: Hashable, Sendable {
  case tcp(UInt16)
  case udp(UInt16)
  case echo

  /// 0 for an echo request.
  var port: UInt16 {
    switch self {
    case .tcp(let port), .udp(let port): port
    case .echo: 0
    }
  }
}

/// A question: do packets get from one network namespace to an address? It is answered by sending some.
struct ReachQuestion: Hashable, Sendable {
  /// The place they start from, by name.
  var source: String
  var destination: IPAddress
  var traffic: Traffic
  /// The listener at which the packets should arrive; nil for an address on a machine that is not ours.
  var arrival: Arrival?
  /// False where nothing should come back.
  var expectsAnswer = true

  struct Arrival: Hashable, Sendable {
    /// The place, by name.
    var place: String
    var address: IPAddress
    /// The port there: another than the one asked for where a published port leads to it. 0 for an echo request.
    var port: UInt16
  }
}

/// The result of the packets that were sent.
enum ReachAnswer: Hashable, Sendable {
  case answered(Arrival)
  case refused(Refusal)
  /// Nothing came back in time, neither an answer nor a refusal.
  case silent
  /// The source has no route there: nothing was sent.
  case noRoute
  /// The question could not be put.
  case failed(KernelError)

  struct Arrival: Hashable, Sendable {
    enum Witness: Hashable, Sendable {
      /// A socket of ours in the target saw the packets come in.
      case listener
      /// The service's own socket answered.
      case service
      /// Something answered in the target's place: the socket of ours there saw nothing.
      case stranger
    }
    var witness: Witness
    /// The address the packets came from, where that is not the one they were sent from.
    var translatedSource: IPAddress?
    /// A description of the machine that answered in the target's place. Nil if it is unknown.
    var impostor: String?
  }

  enum Refusal: Hashable, Sendable {
    /// A TCP reset, or an ICMP answer that nothing listens there.
    case port
    /// An ICMP answer that there is no way: unreachable, or prohibited.
    case path
  }

  var isAnswered: Bool {
    if case .answered = self { true } else { false }
  }
}

/// The time that the prober waits for answers.
///
/// A packet between namespaces of one machine is delivered within the call that sends it. So an answer takes far less
/// than a millisecond, and a loaded machine delays it by milliseconds. A refusal may be held back: Linux sends a
/// destination six at once and then one a second (icmp_ratelimit in icmp(7)).
package struct ProbeTiming: Hashable, Sendable {
  /// Between a try and the next.
  var interval = Duration.milliseconds(120)
  var tries = Self.usualTries
  /// The time from the last try until the question counts as unanswered.
  var patience = Duration.milliseconds(280)

  static let usualTries = 2
}
