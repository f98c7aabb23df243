import Testing
@testable import Intent
@testable import Orchestrator
@testable import Vocabulary

@Suite struct LinkRequestTests {
  private static func asked(_ edit: (inout LinkRequest) -> Void) -> LinkRequest {
    var request = LinkRequest()
    edit(&request)
    return request
  }

  private static func text(_ override: LinkOverride?) -> String {
    LinkConditions().changed(by: override?.current).description
  }

  @Test func aResetOfOneWayLeavesTheOther() throws {
    let both = try Self.asked { $0.loss = "3%" }.override(on: LinkConditions(), inPlaceOf: nil)
    let reset = Self.asked { ($0.resets, $0.direction) = (true, .egress) }
    #expect(Self.text(try reset.override(on: LinkConditions(), inPlaceOf: both)) == "egress clear, ingress loss 3%")
    // What is down is so both ways.
    let down = try Self.asked { $0.isDown = true }.override(on: LinkConditions(), inPlaceOf: both)
    #expect(try reset.override(on: LinkConditions(), inPlaceOf: down)?.current.isDown == true)
    #expect(try Self.asked { $0.resets = true }.override(on: LinkConditions(), inPlaceOf: down) == nil)
  }

  @Test func whatEndsByItselfBringsBackWhatLasts() throws {
    let lasting = try Self.asked { $0.loss = "50%" }.override(on: LinkConditions(), inPlaceOf: nil)
    let passing = try Self.asked { ($0.rate, $0.duration) = ("1mbit", "1s") }
      .override(on: LinkConditions(), inPlaceOf: lasting)
    #expect(Self.text(passing) == "rate 1mbit, loss 50%")
    #expect(Self.text(passing?.ended) == "loss 50%")
    // Another one meanwhile ends in the same.
    let more = try Self.asked { ($0.isDown, $0.duration) = (true, "1s") }
      .override(on: LinkConditions(), inPlaceOf: passing)
    #expect(more?.current.isDown == true && Self.text(more) == "rate 1mbit, loss 50%")
    #expect(more?.ended == lasting)
    // What is to last takes its place.
    let next = try Self.asked { $0.delay = "5ms" }.override(on: LinkConditions(), inPlaceOf: more)
    #expect(Self.text(next) == "delay 5ms, loss 50%" && next?.afterwards == nil && next?.current.isDown == false)
  }

  @Test func aLinkThatIsDownCanBeUpForATime() throws {
    let down = try Self.asked { $0.isDown = true }.override(on: LinkConditions(), inPlaceOf: nil)
    let up = try Self.asked { ($0.isDown, $0.duration) = (false, "1s") }.override(on: LinkConditions(), inPlaceOf: down)
    #expect(up?.current.isDown == false && up?.isEmpty == false)
    #expect(up?.ended == down)
  }
}
