import Foundation
import Fuzzing
import Testing

/// Topologies by chance, whose packets are followed by somebody else too: Scripts/topology-oracle.py reads the file and
/// shares no code with `stack`. What `verify` predicts, what it observes and what the oracle says are the same.
///
/// `tools/test --long` runs 100, and 20 with FRR. `STACK_TOPOLOGIES=1 STACK_FIRST_TOPOLOGY=17` runs number 17 alone.
@Suite struct TopologyOracleTests {
  private static let scripts = "\(Repository.root)/Tests/EndToEndTests/Scripts"

  private static func numbers(_ whole: Int, sample: Int) -> Range<Int> {
    func number(_ name: String, or standard: Int) -> Int {
      ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? standard
    }
    let first = number("STACK_FIRST_TOPOLOGY", or: 1)
    return first..<first + number("STACK_TOPOLOGIES", or: TestExtent.size(whole, sample: sample))
  }

  private func write(_ seed: Int, _ option: String = "", on host: ThrowawayHost) throws {
    try host.succeed("sh", "-c", "python3 \(Self.scripts)/random-topology.py \(seed) \(option) >g.stack")
  }

  /// The oracle's verdict on a verification just now. Its status is 0 if all three agree.
  private func judged(on host: ThrowawayHost) throws -> Outcome {
    try host.run("sh", "-c", "stack verify g --format json >verification.json", limit: .seconds(120))
    return try host.run("python3", "\(Self.scripts)/topology-oracle.py", "g.stack", "verification.json")
  }

  @Test func anOracleSaysTheSame() throws {
    try ThrowawayHost.with { host in
      for seed in Self.numbers(100, sample: 12) {
        try write(seed, on: host)
        var up = try host.run("stack", "up", "g.stack", limit: .seconds(120))
        if up.errors.contains("cannot be kept") {
          // A rule would have to hold on a cable.
          try write(seed, "--without-denials", on: host)
          up = try host.run("stack", "up", "g.stack", limit: .seconds(120))
        }
        #expect(up.status == 0, "topology \(seed): \(up)")
        let outcome = try judged(on: host)
        #expect(outcome.status == 0, "topology \(seed): \(outcome)")
        try host.succeed("stack", "down", "g")
      }
    }
  }

  @Test func whatDaemonsRouteIsAsTheOracleSays() throws {
    try ThrowawayHost.with { host in
      for seed in Self.numbers(20, sample: 2) {
        try write(seed, "--ospf", on: host)
        try host.succeed("stack", "up", "g.stack", limit: .seconds(120))
        var outcome: Outcome?
        let isAgreed = try host.eventually(within: .seconds(90)) {
          outcome = try judged(on: host)
          return outcome?.status == 0
        }
        #expect(isAgreed, "topology \(seed): \(outcome.map(\.description) ?? "")")
        try host.succeed("stack", "down", "g")
      }
    }
  }
}
