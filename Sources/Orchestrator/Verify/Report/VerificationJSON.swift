import FoundationEssentials
import Intent
import Vocabulary

/// A verification for machines.
extension Verification {
  fileprivate struct Report: Encodable {
    struct Check: Encodable {
      struct Probe: Encodable {
        var address: String
        /// `answered`, `refused`, `silent`, `no-route`, `misled` or `failed`.
        var answer: String
        var because: String
      }
      /// The predicted and the observed result in one address family.
      struct Verdict: Encodable {
        /// `ipv4` or `ipv6`.
        var family: String
        /// Missing if the result cannot be predicted.
        var predicted: Bool?
        var observed: Bool
        var wrong: Bool
      }
      var source: String
      var destination: String
      var network: String?
      var transport: String
      var port: UInt16?
      /// Missing where only sending packets tells.
      var predicted: Bool?
      var observed: Bool
      var because: String
      var probes: [Probe]
      var verdicts: [Verdict]
      var wrong: Bool
    }
    struct Expectation: Encodable {
      var rule: String
      var line: String?
      var met: Bool
      var probed: Bool
      var objections: [String]
      /// The reason why it could not be tested.
      var error: String?
    }
    var stack: String
    var checks: [Check]
    var expectations: [Expectation]
    var notes: [String]
    var milliseconds: Int64
    var wrong: Int
    var untested: Int
    var total: Int
  }

  /// One object, over several lines.
  package var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let report = Report(
      stack: stack, checks: findings.map(Report.Check.init), expectations: expectations.map(Report.Expectation.init),
      notes: notes,
      milliseconds: duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000,
      wrong: wrong, untested: unasked, total: total)
    // Text, numbers and lists of them always encode.
    return (try? encoder.encode(report)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}

extension Verification.Report.Check {
  fileprivate init(_ finding: ReachFinding) {
    let column = finding.check.column
    source = "\(finding.check.source)"
    switch column.target {
    case .service(let name, _, _): (destination, network) = (name, column.target.place)
    case .linked(let name, let other, _): (destination, self.network) = (name, "link to \(other)")
    case .loopback(let name): (destination, network) = (name, FurtherAddress.loopback)
    case .host(let network): (destination, self.network) = ("host", network)
    case .published: (destination, network) = ("host", nil)
    case .internet: (destination, network) = ("internet", nil)
    }
    transport = column.traffic.transport
    if case .published(let published, _) = column.target {
      port = published.hostPort
    } else {
      port = column.traffic == .echo ? nil : column.traffic.port
    }
    predicted = finding.isDecided ? finding.isPredicted : nil
    (observed, wrong, because) = (finding.isObserved, finding.isWrong, finding.because)
    probes = zip(finding.check.probes, finding.answers).map {
      Probe(address: "\($0.question.destination)", answer: $1.keyword, because: $0.forecast.because)
    }
    verdicts = finding.verdicts.map { verdict in
      Verdict(
        family: verdict.isV4 ? "ipv4" : "ipv6", predicted: verdict.isDecided ? verdict.isPredicted : nil,
        observed: verdict.isObserved, wrong: verdict.isWrong)
    }
  }
}

extension Verification.Report.Expectation {
  fileprivate init(_ finding: ExpectationFinding) {
    rule = finding.rule.line
    line = finding.rule.declaredAt.map { "\($0)" }
    (met, probed, objections) = (finding.isMet, finding.isObserved, finding.objections)
    error = finding.obstacle
  }
}
