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

  /// Each part of a rule counts, and so does each rule.
  @Test func anAccessPassesWhereARuleCoversAllOfIt() throws {
    let filter = DeviceProgram([
      DeviceRule(.character, 1, 3, [.read, .write]), DeviceRule(.block, 8, nil, .read), DeviceRule(.all, nil, 7, .all),
      DeviceRule(.character, 0x8000_0001, 9, .all),
    ])
    typealias Question = (kind: DeviceRule.Kind, major: UInt32, minor: UInt32, access: DeviceRule.Access)
    let allowed: [Question] = [
      (.character, 1, 3, .read), (.character, 1, 3, [.read, .write]), (.block, 8, 0, .read), (.block, 8, 5, .read),
      (.block, 9, 7, .all), (.character, 9, 7, .make), (.character, 0x8000_0001, 9, .all),
    ]
    let refused: [Question] = [
      (.character, 1, 3, .make), (.character, 1, 3, .all), (.character, 1, 5, .read), (.character, 3, 1, .read),
      (.block, 1, 3, .read), (.block, 8, 0, .write), (.block, 8, 0, [.read, .write]), (.character, 8, 0, .read),
      (.block, 9, 0, .read), (.character, 1, 9, .read),
    ]
    for (kind, major, minor, access) in allowed {
      #expect(try filter.allows(kind, major, minor, access), "\(kind) \(major):\(minor) \(access)")
    }
    for (kind, major, minor, access) in refused {
      #expect(try !filter.allows(kind, major, minor, access), "\(kind) \(major):\(minor) \(access)")
    }
    #expect(try !DeviceProgram([]).allows(.character, 1, 3, .read))
  }
}

/// A filter for devices, run over what the kernel asks it (struct bpf_cgroup_dev_ctx of linux/bpf.h).
private struct DeviceProgram {
  enum Failure: Error { case unknownInstruction(UInt8), ranPastTheEnd }

  private let instructions: [(code: UInt8, target: Int, source: Int, offset: Int, constant: UInt32)]

  init(_ rules: [DeviceRule]) {
    let bytes = DeviceFilter.instructions(for: rules)
    instructions = stride(from: 0, to: bytes.count, by: 8).map { place in
      let part = bytes[place..<place + 8].map { UInt32($0) }
      return (
        UInt8(part[0]), Int(part[1] & 0xF), Int(part[1] >> 4), Int(Int16(truncatingIfNeeded: part[2] | part[3] << 8)),
        part[4] | part[5] << 8 | part[6] << 16 | part[7] << 24
      )
    }
  }

  /// BPF_DEVCG_DEV_BLOCK is 1 and …_CHAR 2; BPF_DEVCG_ACC_MKNOD is 1, …_READ 2 and …_WRITE 4.
  func allows(
    _ kind: DeviceRule.Kind, _ major: UInt32, _ minor: UInt32, _ access: DeviceRule.Access
  ) throws -> Bool {
    var wanted: UInt32 = access.contains(.make) ? 1 : 0
    if access.contains(.read) { wanted |= 2 }
    if access.contains(.write) { wanted |= 4 }
    let context = [wanted << 16 | (kind == .block ? 1 : 2), major, minor]
    var registers = [UInt32](repeating: 0, count: 11)
    var place = 0
    while place < instructions.count {
      let step = instructions[place]
      place += 1
      switch step.code {
      case 0x61: registers[step.target] = context[step.offset / 4]
      case 0xbc: registers[step.target] = registers[step.source]
      case 0x54: registers[step.target] &= step.constant
      case 0x74: registers[step.target] >>= step.constant
      case 0xb7: registers[step.target] = step.constant
      case 0x56: place += registers[step.target] != step.constant ? step.offset : 0
      case 0x46: place += registers[step.target] & step.constant != 0 ? step.offset : 0
      case 0x95: return registers[0] == 1
      default: throw Failure.unknownInstruction(step.code)
      }
    }
    throw Failure.ranPastTheEnd
  }
}
