import Testing

@testable import Intent
@testable import Verify

/// When a network with daemons counts as being at rest.
@Suite struct SettlingTests {
  private static let text = """
    services:
      a: {command: [x], network_mode: none, routes: ["10.0.23.0/30 via 10.0.12.2"]}
      b: {command: [x], network_mode: none, forward: true}
      c: {command: [x], network_mode: none}
    links: [{ends: {a: 10.0.12.1/30, b: 10.0.12.2/30}}, {ends: {b: 10.0.23.1/30, c: 10.0.23.2/30}}]
    """

  /// Looks that come each second, until it is at rest.
  private func seconds(of looks: (Int) throws -> Verification) rethrows -> Int {
    let began = ContinuousClock.now
    var settling = Settling(try looks(0), limit: .seconds(20), at: began)
    for second in 1... {
      settling.add(try looks(second), at: began + .seconds(second))
      if settling.isOver(at: began + .seconds(second)) { return second }
    }
    return 0
  }

  @Test func whatIsReachedIsAtRestAtOnce() throws {
    let whole = try resolve(
      Self.text.replacing("network_mode: none}", with: "network_mode: none, routes: [\"10.0.12.0/30 via 10.0.23.1\"]}"))
    #expect(seconds { _ in verification(of: whole) } == 1)
  }

  @Test func whatIsNotReachedMayBeWaitingForARoute() throws {
    // No way back from c, and none that a rule forbids.
    let part = try resolve(Self.text)
    #expect(seconds { _ in verification(of: part) } == 10)
    // A route that comes in the seventh second is a change, though no answer is another.
    let changing = seconds { second in
      var look = verification(of: part)
      look.notes = second < 7 ? [] : ["b has routes that the file has not"]
      return look
    }
    #expect(changing == 17)
  }

  @Test func whatARuleForbidsIsNotWaitedFor() throws {
    let ruled = try resolve(
      "services: {a: {command: [x]}, b: {command: [x]}}\npolicies: [{deny: a -> b}, {deny: b -> a}]")
    #expect(seconds { _ in verification(of: ruled) } == 1)
  }

  @Test func whatIsWrongIsWaitedForToTheEnd() throws {
    let stack = try resolve(shop)
    #expect(seconds { _ in verification(of: stack, except: ["api -> db:5432": .silent]) } == 20)
  }
}
