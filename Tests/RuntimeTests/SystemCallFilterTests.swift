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

    /// Calls by their numbers (syscall_64.tbl), and the capabilities of which one lets a process make them.
    @Test(
      arguments: [
        ([248, 249, 250, 425, 426, 427, 323, 246, 320, 167, 168, 155, 180, 279, 256], []),
        ([156, 183, 174, 177, 181, 182, 178, 185, 139, 184, 134, 136, 236], []),
        ([431, 432, 430, 433, 165, 442, 429, 428, 166, 171, 170, 308, 272, 300, 212, 179, 443], [.sysAdmin]),
        ([321], [.sysAdmin, .bpf]), ([298], [.sysAdmin, .perfmon]), ([103], [.sysAdmin, .syslog]),
        ([304], [.dacReadSearch]), ([169], [.sysBoot]), ([161], [.sysChroot]), ([176, 313, 175], [.sysModule]),
        ([163], [.sysPacct]), ([312, 438, 440], [.sysPtrace]), ([173, 172], [.sysRawio]), ([227, 164], [.sysTime]),
        ([153], [.sysTtyConfig]), ([239, 237, 238, 450], [.sysNice]),
      ] as [([UInt32], [Capability])])
    func callsTakeACapability(_ numbers: [UInt32], _ capabilities: [Capability]) throws {
      let without = try ClassicFilter(
        SeccompFilter(for: .all.subtracting(CapabilitySet(capabilities))).instructions)
      for number in numbers {
        #expect(try without.decision(number, Self.x86) == Self.refusal(EPERM), "\(number)")
      }
      for capability in capabilities {
        let with = try ClassicFilter(SeccompFilter(for: CapabilitySet([capability])).instructions)
        for number in numbers {
          #expect(try with.decision(number, Self.x86) == Self.allow, "\(number) with \(capability.name)")
        }
      }
    }

    /// The flags of clone(2): new mounts, control groups, host name, IPC, users, processes, network.
    @Test func namespacesAreMadeByAdministratorsAlone() throws {
      let (filter, admins) = (
        try decisions(), ClassicFilter(try SeccompFilter(for: CapabilitySet([.sysAdmin])).instructions)
      )
      for bit in [17, 25, 26, 27, 28, 29, 30] as [UInt64] {
        #expect(try filter.decision(56, Self.x86, 1 << bit | 0x11) == Self.refusal(EPERM), "bit \(bit)")
        #expect(try admins.decision(56, Self.x86, 1 << bit | 0x11) == Self.allow, "bit \(bit)")
      }
      // A thread as libc makes it: memory, files, signals and more are shared.
      #expect(try filter.decision(56, Self.x86, 0x3D_0F00) == Self.allow)
      #expect(try filter.decision(435, Self.x86) == Self.refusal(ENOSYS))
      #expect(try admins.decision(435, Self.x86) == Self.allow)
    }

    /// socket(2) by its family: local, IPv4, IPv6, netlink and packets are for all; AF_ALG, AF_VSOCK and what came later for nobody.
    @Test func familiesOfSockets() throws {
      let filter = try decisions()
      let families = (0...70).filter { family in
        (try? filter.decision(41, Self.x86, UInt64(family))) == Self.refusal(EPERM)
      }
      #expect(families == [12, 19, 20, 23, 25, 34, 37, 38, 40] + Array(46...70))
    }

    /// setsockopt(2) of packet sockets with PACKET_VNET_HDR (15) and PACKET_VNET_HDR_SZ (24).
    @Test func packetsHaveNoHeaderForTheHost() throws {
      let filter = try decisions()
      let refused = (0...30).filter { option in
        (try? filter.decision(54, Self.x86, 3, 263, UInt64(option))) == Self.refusal(EPERM)
      }
      #expect(refused == [15, 24])
      #expect(try filter.decision(54, Self.x86, 3, 1, 15) == Self.allow)
    }

    /// personality(2): Linux and Linux of 32 bits, each with or without the version number of 2.6, and the question.
    @Test func personalities() throws {
      let filter = try decisions()
      for value in [0, 8, 0x20000, 0x20008, 0xFFFF_FFFF] as [UInt64] {
        #expect(try filter.decision(135, Self.x86, value) == Self.allow, "\(value)")
      }
      for value in [1, 0x40000, 0x20001, 0x400000] as [UInt64] {
        #expect(try filter.decision(135, Self.x86, value) == Self.refusal(EPERM), "\(value)")
      }
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

  /// The action, SECCOMP_RET_…, for a call with its first arguments.
  func decision(_ call: UInt32, _ architecture: UInt32, _ arguments: UInt64...) throws -> UInt32 {
    var words = [UInt32](repeating: 0, count: 16)
    (words[0], words[1]) = (call, architecture)
    for (number, argument) in arguments.enumerated() {
      words[4 + 2 * number] = UInt32(truncatingIfNeeded: argument)
      words[5 + 2 * number] = UInt32(argument >> 32)
    }
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
