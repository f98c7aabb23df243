import Glibc
import Kernel
import Testing
@testable import Runtime

/// A process that must not share the caller's memory is not made with it.
@Suite struct ProgramMemoryTests {
  /// True if spawn refuses this memory, with EINVAL, for a program that ends at once.
  private static func isRefused(
    _ memory: Program.Memory, flags: UInt64 = 0, _ change: (inout Program) -> Void = { _ in }
  ) -> Bool {
    do throws(KernelError) {
      var program = Program()
      change(&program)
      program.exit(for: "end", "a process")
      let spawned = try program.spawn(memory, flags: flags)
      close(spawned.report)
      _ = try ProcessHandle.wait(for: Descriptor(adopting: spawned.pidfd))
      return false
    } catch {
      return error.errno == .invalidArgument
    }
  }

  @Test func whoeverIsSeenByOthersHasACopy() async {
    await #expect(processExitsWith: .success) {
      try Dumpability.renounce()
      #expect(Self.isRefused(.sharedUnseen))
      #expect(!Self.isRefused(.copied))
      if isRoot() { #expect(!Self.isRefused(.sharedUnseen, flags: CloneFlag.pid)) }
    }
  }

  @Test func aCallerThatOthersMayTraceSharesNothing() async {
    await #expect(processExitsWith: .success) {
      #expect(Self.isRefused(.sharedUnseen, flags: CloneFlag.pid))
      #expect(!Self.isRefused(.sharedAlike))
    }
  }

  @Test func whoeverBecomesAnotherSharesNothing() {
    let changes: [(String, (inout Program) -> Void)] = [
      ("groups", { $0.setGroups([]) }), ("group", { $0.setGroup(0) }), ("user", { $0.setUser(0) }),
      ("bounding set", { $0.limitCapabilities(to: .all) }),
      ("capabilities", { $0.setCapabilities(.all, ambient: []) }),
      ("new namespaces", { $0.unshare(CloneFlag.uts, "a namespace") }),
      ("namespaces", { $0.enter(CloneFlag.uts, of: .none, for: "enter", "a namespace") }),
      ("files", { $0.makeFiles(as: 0, "nobody") }),
    ]
    for (name, change) in changes { #expect(Self.isRefused(.sharedAlike, change), "\(name)") }
    #expect(Self.isRefused(.sharedAlike, flags: CloneFlag.pid))
  }
}
