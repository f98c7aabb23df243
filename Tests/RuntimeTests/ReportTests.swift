import CLinux
import Foundation
import Glibc
import Testing
@testable import Kernel
@testable import Runtime

/// Processes with damaged reports are ended.
@Suite struct ReportTests {
  /// A process that would run on, and the end of its report that it writes to.
  private struct Started: ~Copyable {
    let process: Descriptor
    let report: Report
    let sender: Descriptor
    let pid: pid_t

    init() throws {
      var ends: [CInt] = [0, 0]
      try #require(socketpair(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue), 0, &ends) == 0)
      var program = Program()
      try program.execute(
        ["sleep", "1000"], environment: [], candidates: ["/bin/sleep", "/usr/bin/sleep"], "sleep")
      let spawned = try program.spawn()
      close(spawned.report)
      report = Report(channel: Descriptor(adopting: ends[0]))
      sender = Descriptor(adopting: ends[1])
      process = Descriptor(adopting: spawned.pidfd)
      pid = spawned.pid
    }

    func confirm(_ purposes: [(action: StaticString, subject: String)] = []) throws(KernelError) {
      _ = try report.confirm(process, purposes: purposes, command: "sleep")
    }
  }

  private func send(_ kind: stack_report_kind, error: CInt = 0, on sender: borrowing Descriptor) {
    var message = stack_report(kind: kind.rawValue, subject: 1, error: error)
    #expect(Glibc.send(sender.rawValue, &message, MemoryLayout.size(ofValue: message), 0) > 0)
  }

  /// The kernel drops a descriptor that there is no number for, and delivers the rest.
  @Test func aLostDescriptorIsSaidAndTheProcessEnded() throws {
    let started = try Started()
    send(STACK_REPORT_DESCRIPTOR, on: started.sender)
    shutdown(started.sender.rawValue, CInt(SHUT_WR))
    let failure = #expect(throws: KernelError.self) { try started.confirm() }
    #expect(failure?.errno == .tooManyOpenFiles)
    #expect(waitpid(started.pid, nil, 0) == -1 && errno == ECHILD, "it is reaped")
  }

  /// Another process that starts at this moment may hold the sending end still.
  @Test func aFailureIsKnownBeforeTheReportHasItsEnd() throws {
    var ends: [CInt] = [0, 0]
    try #require(socketpair(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue), 0, &ends) == 0)
    let report = Report(channel: Descriptor(adopting: ends[0]))
    let sender = Descriptor(adopting: ends[1])
    send(STACK_REPORT_EXEC_FAILED, error: ENOENT, on: sender)
    let outcome = try report.outcome(purposes: [], command: "x", blocks: false)
    #expect(outcome.failure?.errno == .noSuchFileOrDirectory)
  }

  /// A started program may have passed the sending end on: then the report has no end yet.
  @Test func aReportWithoutAnEndIsWaitedForOnlyIfAsked() throws {
    var ends: [CInt] = [0, 0]
    try #require(socketpair(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue), 0, &ends) == 0)
    let report = Report(channel: Descriptor(adopting: ends[0]))
    let sender = ends[1]
    // Ends a wait that there should not be, by a descriptor of its own.
    let held = dup(sender)
    Thread.detachNewThread {
      sleep(5)
      shutdown(held, CInt(SHUT_WR))
      close(held)
    }
    let early = #expect(throws: KernelError.self) {
      _ = try report.outcome(purposes: [], command: "x", blocks: false)
    }
    #expect(early?.errno == .resourceTemporarilyUnavailable)
    shutdown(sender, CInt(SHUT_WR))
    close(sender)
    let outcome = try report.outcome(purposes: [], command: "x", blocks: true)
    #expect(outcome.failure == nil)
  }

  @Test func aFailureEndsTheProcessAsWell() throws {
    let started = try Started()
    send(STACK_REPORT_FAILED, error: EPERM, on: started.sender)
    shutdown(started.sender.rawValue, CInt(SHUT_WR))
    let failure = #expect(throws: KernelError.self) {
      try started.confirm([("begin", "nothing"), ("mount", "it")])
    }
    #expect(failure == KernelError("mount", "it", errno: .notPermitted))
    #expect(waitpid(started.pid, nil, 0) == -1 && errno == ECHILD)
  }

  @Test func whatCannotBeReadEndsTheProcessAsWell() throws {
    let started = try Started()
    #expect(Glibc.send(started.sender.rawValue, "x", 1, 0) == 1)
    let failure = #expect(throws: KernelError.self) { try started.confirm() }
    #expect(failure?.errno.rawValue == EPROTO)
    #expect(waitpid(started.pid, nil, 0) == -1 && errno == ECHILD)
  }
}
