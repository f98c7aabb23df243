@testable import Addresses
@testable import Intent
@testable import Verify

/// A stack of two networks and some rules; the lines of the file count.
let shop = """
  name: shop
  services:
    web: {command: [x], networks: [front], ports: ["8080:80"]}
    api: {command: [x], networks: [front, back], expose: ["81", "53/udp"]}
    db: {command: [x], networks: [back], expose: ["5432"]}
    idle: {command: [x], networks: [front]}
  networks:
    front: {}
    back: {internal: true, default: deny}
  policies:
    - allow: api -> db:5432
    - deny: idle -> api:81
    - allow: web -> internet:443
    - deny: any -> api:22
  expect:
    - allow: api -> db:5432
    - deny: web,idle -> db:5432
    - deny: any -> api:22
    - deny: internet -> db:5432
  """

let hop = IPv4Address("198.51.100.1").map(IPAddress.v4)

/// A network that does what the stack promises, but for the checks of these names.
///
/// - Parameter outside: what the host itself is answered by the internet, where that is no answer of a listener.
func verification(
  of stack: DesiredStack, except answers: [String: ReachAnswer] = [:], outside: [Traffic: ReachAnswer] = [:]
) -> Verification {
  let matrix = ReachMatrix(stack, nextHop: hop)
  let checks = matrix.checks()
  let inquiry = ReachInquiry(stack, checks, nextHop: hop)
  let answered = ReachAnswer.answered(ReachAnswer.Arrival(witness: .listener))
  let inside = checks.flatMap { check in
    check.probes.map { answers[check.name] ?? ($0.forecast.isAllowed ? answered : .silent) }
  }
  let controls = inquiry.questions.dropFirst(inside.count).map { outside[$0.traffic] ?? answered }
  return inquiry.verification(
    inside + controls, of: matrix, judging: VerifySelection(), duration: .milliseconds(512))
}

extension Verification {
  func finding(_ name: String) -> ReachFinding? { findings.first { $0.check.name == name } }
}
