import Testing
@testable import Intent
@testable import Vocabulary

@Suite struct InterventionTests {
  @Test func whatKeepsPacketsFromPassingIsSaidWithItsEnd() throws {
    var stack = try resolve(
      "services: {a: {command: [x]}, b: {command: [x]}}\nlinks: [{ends: {a: 10.1.1.1/30, b: 10.1.1.2/30}}]")
    #expect(stack.interventions == [])
    stack.partition = Partition(sides: [["a"]], hasRest: true)
    var lossy = LinkOverride.Change()
    lossy.ingress = LinkCondition()
    lossy.ingress?.loss = Share(partsPerMillion: 500_000)
    stack.services[0].attachments[0].override = LinkOverride(lossy)
    var down = LinkOverride.Change()
    down.isDown = true
    stack.links[0].override = LinkOverride(down)
    #expect(
      stack.interventions == [
        "cut off from each other by hand: a | all others (until: stack heal web)",
        "web/a:default loses 50% by hand (until: stack link web/a:default --reset)",
        "web/a:eth1 was set down by hand (until: stack link web/a:eth1 --up)",
      ])
  }
}
