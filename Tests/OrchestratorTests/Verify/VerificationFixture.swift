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
func verification(
  of stack: DesiredStack, except answers: [String: ReachAnswer] = [:]
) -> Verification {
  let matrix = ReachMatrix(stack, nextHop: hop)
  let findings = matrix.checks().map { check in
    ReachFinding(
      check: check,
      answers: check.probes.map { probe in
        answers[check.name]
          ?? (probe.forecast.isAllowed ? .answered(ReachAnswer.Arrival(witness: .listener)) : .silent)
      })
  }
  let judge = ExpectationJudge(stack, ExpectationMembers(stack))
  let expectations = stack.policy.expectations.compactMap { judge.judge($0, findings, isPart: false) }
  return Verification(
    stack: stack.name, rows: matrix.rows, columns: matrix.columns, findings: findings, expectations: expectations,
    notes: [], duration: .milliseconds(512))
}

extension Verification {
  func finding(_ name: String) -> ReachFinding? { findings.first { $0.check.name == name } }
}
