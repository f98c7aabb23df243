import Glibc
import Isolation
import Testing
@testable import Runtime

/// The decisions of the default filter, taken from its program. So calls count that this machine's kernel does not have.
@Suite struct SystemCallFilterTests {
  #if arch(x86_64)
    private static let x86: UInt32 = 0xC000_003E
    private static let i386: UInt32 = 0x4000_0003
    private static let allow: UInt32 = 0x7FFF_0000

    private static func refusal(_ errno: CInt) -> UInt32 { 0x0005_0000 | UInt32(errno) }

    private func decisions() throws -> ClassicFilter {
      ClassicFilter(try SeccompFilter(for: .standard).instructions)
    }

    /// Calls of the x32 ABI have this bit. With the same number below it, write(2), execve(2) and mount(2) would be let through
    /// or missed by a list of x86-64's numbers.
    @Test func callsOfTheX32ABIDoNotExist() throws {
      let filter = try decisions()
      for number in [1, 39, 59, 165, 272, 321, 425, 520, 547] as [UInt32] {
        #expect(try filter.decision(0x4000_0000 | number, Self.x86) == Self.refusal(ENOSYS), "\(number)")
      }
      #expect(try filter.decision(39, Self.x86) == Self.allow)
    }

    /// mount, clone with CLONE_NEWUSER, keyctl, bpf and io_uring_setup by their numbers for programs of 32 bits.
    @Test func callsOfProgramsOf32BitsAreRefused() throws {
      let filter = try decisions()
      for (number, first) in [(21, 0), (120, 0x1000_0000), (288, 0), (357, 0), (425, 0)] as [(UInt32, UInt64)] {
        #expect(try filter.decision(number, Self.i386, first) == Self.refusal(EPERM), "\(number)")
      }
      #expect(try filter.decision(120, Self.i386, 0x11) == Self.allow)
      #expect(try filter.decision(20, Self.i386) == Self.allow)
    }

    /// Numbers that no kernel has given yet.
    @Test func callsOfTheFutureDoNotExist() throws {
      let filter = try decisions()
      for number in [467, 500, 1000, 0xFFFF_FFFF] as [UInt32] {
        #expect(try filter.decision(number, Self.x86) == Self.refusal(ENOSYS), "\(number)")
      }
    }
  #endif
}

/// A program of classic BPF, run over a system call (seccomp(2), struct seccomp_data).
private struct ClassicFilter {
  struct UnknownInstruction: Error { var code: UInt16 }

  private let program: [(code: UInt16, ifTrue: Int, ifFalse: Int, constant: UInt32)]

  init(_ bytes: [UInt8]) {
    program = stride(from: 0, to: bytes.count, by: 8).map { place in
      let part = bytes[place..<place + 8].map { UInt32($0) }
      return (
        UInt16(part[0] | part[1] << 8), Int(part[2]), Int(part[3]),
        part[4] | part[5] << 8 | part[6] << 16 | part[7] << 24
      )
    }
  }

  /// The action, SECCOMP_RET_…, for a call with its first argument.
  func decision(_ call: UInt32, _ architecture: UInt32, _ first: UInt64 = 0) throws -> UInt32 {
    var words = [UInt32](repeating: 0, count: 16)
    (words[0], words[1]) = (call, architecture)
    (words[4], words[5]) = (UInt32(truncatingIfNeeded: first), UInt32(first >> 32))
    var (place, accumulator) = (0, UInt32(0))
    // A program has no way back.
    while place < program.count {
      let step = program[place]
      place += 1
      func jump(_ isTrue: Bool) { place += isTrue ? step.ifTrue : step.ifFalse }
      switch step.code {
      case 0x20: accumulator = words[Int(step.constant / 4)]
      case 0x54: accumulator &= step.constant
      case 0x05: place += Int(step.constant)
      case 0x15: jump(accumulator == step.constant)
      case 0x25: jump(accumulator > step.constant)
      case 0x35: jump(accumulator >= step.constant)
      case 0x45: jump(accumulator & step.constant != 0)
      case 0x06: return step.constant
      default: throw UnknownInstruction(code: step.code)
      }
    }
    throw UnknownInstruction(code: 0)
  }
}
