import Foundation

/// The JSON of `stack verify --hostile`.
struct HostileReport: Decodable {
  struct Kind: Decodable {
    var kind: String
    var tried: Int
    var open: Int
  }

  struct Finding: Decodable {
    struct Guard: Decodable {
      var table: String?
      var chain: String?
      var filter: String?
      var standing: Bool
    }
    var kind: String
    var attacker: String
    var victims: [String]
    var moved: Bool
    var guards: [Guard]
  }

  var kinds: [Kind]
  var findings: [Finding]
  var unasked: [String]
  var open: Int
  var milliseconds: Int

  var openKinds: Set<String> { Set(kinds.filter { $0.open > 0 }.map(\.kind)) }

  /// The kinds that an attacker gets through.
  func openKinds(of attacker: String) -> Set<String> {
    Set(findings.filter { $0.attacker == attacker }.map(\.kind))
  }
}

extension ThrowawayHost {
  /// Attacks stack `x`, with further options.
  func verifyHostile(_ options: [String]) throws -> (HostileReport, Outcome) {
    let outcome = try start(["stack", "verify", "--hostile", "--format", "json", "x"] + options).wait(
      limit: .seconds(60))
    guard let report = try? JSONDecoder().decode(HostileReport.self, from: Data(outcome.outputBytes)) else {
      throw HarnessError("\(outcome)")
    }
    return (report, outcome)
  }
}
