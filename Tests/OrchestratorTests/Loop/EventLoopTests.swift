import Glibc
import Synchronization
import SystemPackage
import Testing
@testable import Kernel
@testable import Loop

@Suite struct EventLoopTests {
  @Test func callsReadersUntilTheyAreRemoved() throws {
    let loop = try EventLoop()
    let (reader, writer) = try FileDescriptor.pipe()
    defer { try? reader.close(); try? writer.close() }
    var calls = 0
    let token = try loop.register(reader, interest: .read) { readiness in
      #expect(readiness.contains(.readable))
      calls += 1
    }
    _ = try writer.writeAll([1])
    try loop.turn(atMost: .seconds(5))
    try loop.turn(atMost: .seconds(5))
    #expect(calls == 2, "level-triggered: unread bytes are told again")
    loop.remove(token)
    try loop.turn(atMost: .zero)
    #expect(calls == 2)
    #expect(!loop.isRegistered(token))
  }

  @Test func aHandlerMayRemoveItselfAndAllOthersOfItsBatch() throws {
    let loop = try EventLoop()
    var pipes: [(readEnd: FileDescriptor, writeEnd: FileDescriptor)] = []
    defer { for pipe in pipes { try? pipe.writeEnd.close() } }
    var tokens: [EventLoop.Token] = []
    var calls = 0
    for _ in 0..<20 {
      let pipe = try FileDescriptor.pipe()
      _ = try pipe.writeEnd.writeAll([1])
      pipes.append((pipe.readEnd, pipe.writeEnd))
    }
    for pipe in pipes {
      let token = try loop.register(pipe.readEnd, interest: .read) { _ in
        calls += 1
        for (token, pipe) in zip(tokens, pipes) {
          loop.remove(token)
          try? pipe.readEnd.close()
        }
      }
      tokens.append(token)
    }
    try loop.turn(atMost: .seconds(5))
    try loop.turn(atMost: .zero)
    #expect(calls == 1)
  }

  @Test func aNumberClosedTooEarlyAndUsedAgainBelongsToItsNewOwner() throws {
    let loop = try EventLoop()
    let first = try FileDescriptor.pipe()
    defer { try? first.readEnd.close(); try? first.writeEnd.close() }
    let stale = try loop.register(first.readEnd, interest: .read) { _ in Issue.record("the old handler was called") }
    let second = try FileDescriptor.pipe()
    defer { try? second.readEnd.close(); try? second.writeEnd.close() }
    // dup2(2) closes the number and gives it to another pipe at once: no other test can have it in between.
    _ = try second.readEnd.duplicate(as: first.readEnd)
    var calls = 0
    _ = try loop.register(first.readEnd, interest: .read) { _ in calls += 1 }
    loop.remove(stale)
    _ = try second.writeEnd.writeAll([1])
    try loop.turn(atMost: .seconds(5))
    #expect(calls == 1)
  }

  @Test func aDescriptorClosedTooEarlyWithACopyElsewhereDoesNotSpinTheLoop() throws {
    let loop = try EventLoop()
    let pipe = try FileDescriptor.pipe()
    let copy = try pipe.readEnd.duplicate()
    defer { try? copy.close(); try? pipe.writeEnd.close() }
    let token = try loop.register(pipe.readEnd, interest: .read) { _ in Issue.record("removed, and called") }
    _ = try pipe.writeEnd.writeAll([1])
    try pipe.readEnd.close()
    loop.remove(token)
    try loop.turn(atMost: .seconds(5))
    let start = SuspendingClock.now
    try loop.turn(atMost: .milliseconds(50))
    #expect(SuspendingClock.now - start >= .milliseconds(50))
  }

  @Test func refusesWhatCannotBePolledOrIsThereAlready() throws {
    let loop = try EventLoop()
    let file = try FileDescriptor.open("/proc/self/exe", .readOnly)
    defer { try? file.close() }
    #expect { _ = try loop.register(file, interest: .read) { _ in } } throws: {
      ($0 as? KernelError)?.errno == .notPermitted
    }
    let pipe = try FileDescriptor.pipe()
    defer { try? pipe.readEnd.close(); try? pipe.writeEnd.close() }
    _ = try loop.register(pipe.readEnd, interest: .read) { _ in }
    #expect { _ = try loop.register(pipe.readEnd, interest: .read) { _ in } } throws: {
      ($0 as? KernelError)?.errno == .fileExists
    }
  }

  @Test func interestCanChange() throws {
    let loop = try EventLoop()
    let pipe = try FileDescriptor.pipe()
    defer { try? pipe.readEnd.close(); try? pipe.writeEnd.close() }
    var calls = 0
    let token = try loop.register(pipe.writeEnd, interest: []) { readiness in
      #expect(readiness.contains(.writable))
      calls += 1
    }
    try loop.turn(atMost: .zero)
    #expect(calls == 0)
    try loop.setInterest(.write, for: token)
    try loop.turn(atMost: .zero)
    #expect(calls == 1)
  }

  @Test func timersFireInOrderAndNotWhenCancelled() throws {
    let loop = try EventLoop()
    var fired: [Int] = []
    let start = loop.now
    loop.schedule(at: start + .milliseconds(20)) {
      fired.append(2)
      loop.stop()
    }
    let cancelled = loop.schedule(at: start + .milliseconds(5)) { fired.append(0) }
    loop.schedule(at: start + .milliseconds(10)) { fired.append(1) }
    loop.cancel(cancelled)
    try loop.run()
    #expect(fired == [1, 2])
    #expect(loop.now - start >= .milliseconds(20))
  }

  @Test func aTimerMayCancelOneThatIsDueAsWell() throws {
    let loop = try EventLoop()
    var other: EventLoop.TimerID?
    var fired = 0
    let deadline = loop.now
    loop.schedule(at: deadline) {
      fired += 1
      if let other { loop.cancel(other) }
    }
    other = loop.schedule(at: deadline) { fired += 1 }
    try loop.turn(atMost: .zero)
    #expect(fired == 1)
  }

  @Test func aZeroTimerThatMakesAnotherLetsDescriptorsRun() throws {
    let loop = try EventLoop()
    let pipe = try FileDescriptor.pipe()
    defer { try? pipe.readEnd.close(); try? pipe.writeEnd.close() }
    func again() { loop.schedule(after: .zero) { again() } }
    again()
    _ = try loop.register(pipe.readEnd, interest: .read) { _ in loop.stop() }
    _ = try pipe.writeEnd.writeAll([1])
    try loop.run()
  }

  @Test func messagesOfManyThreadsAllArriveEachSendersInOrder() throws {
    let loop = try EventLoop()
    let senders = 8
    let each = 2_000
    var seen = [Int](repeating: 0, count: senders)
    var total = 0
    let (mailbox, token) = try loop.openMailbox(of: (sender: Int, number: Int).self) { message in
      #expect(seen[message.sender] == message.number)
      seen[message.sender] += 1
      total += 1
      if total == senders * each { loop.stop() }
    }
    let pool = try WorkerPool(loop: loop, threads: senders)
    for sender in 0..<senders {
      try pool.submit {
        for number in 0..<each { mailbox.post((sender, number)) }
      } completion: {
      }
    }
    try loop.run()
    pool.shutDown()
    loop.remove(token)
    #expect(seen == [Int](repeating: each, count: senders))
  }

  @Test func stopBeforeRunIsNotLost() throws {
    let loop = try EventLoop()
    loop.stop()
    try loop.run()
  }
}
