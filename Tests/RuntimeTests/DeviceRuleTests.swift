import Testing
@testable import Isolation
@testable import Runtime

@Suite struct DeviceRuleTests {
  @Test(arguments: ["c 1:3 rwm", "b 8:* r", "c *:* m", "a *:* rwm", "c 10:200 w"])
  func rulesReadBackAsTheyAreWritten(_ text: String) {
    #expect(DeviceRule(text)?.description == text)
  }

  @Test(arguments: [
    "", "x 1:3 r", "c 1 r", "c 1:3", "c 1:3 x", "c 1:3 rr", "c -1:3 r", "c 1:3 r r", "c 1:4294967296 r",
  ])
  func whatIsNoRule(_ text: String) {
    #expect(DeviceRule(text) == nil)
  }

  @Test func allDevicesInOneLetter() {
    #expect(DeviceRule("a") == DeviceRule(.all, nil, nil, .all))
  }

  @Test func programsAnswerEachRuleInTurn() {
    // Nothing is allowed: the words are read, and the answer is 0.
    #expect(DeviceFilter.instructions(for: []).count == 8 * 8)
    // One rule: kind, access, two numbers, and its answer.
    let one = DeviceFilter.instructions(for: [DeviceRule(.character, 1, 3, .read)])
    #expect(one.count == 8 * (8 + 6))
    // From the first test past the other three and the answer: five ahead.
    #expect(Array(one[48..<56]) == [0x56, 3, 5, 0, 2, 0, 0, 0])
  }
}
