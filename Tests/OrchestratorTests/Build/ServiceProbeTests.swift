import CLinux
import Glibc
import Synchronization
import Testing
@testable import Build
@testable import Kernel
@testable import Loop
@testable import Runtime

/// Probes whose command is a line of shell on this host, and whose control group is made up.
@Suite struct ServiceProbeTests {
  /// Runs one probe, and counts how often its group is cleared.
  private final class Stage {
    let loop: EventLoop
    let pool: WorkerPool
    let probe: ServiceProbe
    private let clearings: Clearings

    /// The clearings of a group so far, and what was started.
    private final class Clearings: Sendable {
      let count = Atomic(0)
      let commands = Mutex<[CapturedCommand]>([])
    }

    /// - Parameter failures: how often the group cannot be removed at first.
    init(_ line: String, failures: Int = 0) throws {
      let (loop, clearings) = (try EventLoop(), Clearings())
      let pool = try WorkerPool(loop: loop, threads: 1)
      probe = ServiceProbe(
        loop: loop, pool: pool,
        launch: { () throws(KernelError) in
          let command = try shellCommand(line)
          clearings.commands.withLock { $0.append(command) }
          return LaunchedProbe(command: command) {
            clearings.count.add(1, ordering: .sequentiallyConsistent).newValue > failures
          }
        })
      (self.loop, self.pool, self.clearings) = (loop, pool, clearings)
    }

    /// Exit tests beside this one wait for any child, so none is left.
    deinit {
      pool.shutDown()
      for command in clearings.commands.withLock({ $0 }) {
        command.kill()
        while case .success(nil) = Result(catching: { try command.end() }) { usleep(1000) }
      }
    }

    var cleared: Int { clearings.count.load(ordering: .sequentiallyConsistent) }

    /// Turns the loop until something holds, for ten seconds at most.
    func turn(until isDone: () -> Bool) throws {
      let deadline = loop.now + .seconds(10)
      while !isDone(), loop.now < deadline { try loop.turn(atMost: .milliseconds(20)) }
      #expect(isDone())
    }
  }

  @Test func theCommandsCodeAndOutputAreTold() throws {
    let stage = try Stage("echo out; echo err >&2; exit 3")
    var outcome: ProbeOutcome?
    stage.probe.start(timeout: .seconds(10)) { outcome = $0 }
    try stage.turn { outcome != nil }
    #expect(outcome == ProbeOutcome(exitCode: 3, output: "out\nerr\n"))
    #expect(stage.cleared == 1)
  }

  /// Processes that the command has left take a moment to go.
  @Test func aGroupThatIsInUseIsClearedAgainUntilItIsGone() throws {
    let stage = try Stage("exit 0", failures: 2)
    var outcome: ProbeOutcome?
    stage.probe.start(timeout: .seconds(10)) { outcome = $0 }
    try stage.turn { stage.cleared == 3 }
    #expect(outcome?.exitCode == 0)
    // Twice as long as until the next attempt would come.
    let end = stage.loop.now + .milliseconds(200)
    while stage.loop.now < end { try stage.loop.turn(atMost: .milliseconds(20)) }
    #expect(stage.cleared == 3)
  }

  @Test func aCommandThatTakesTooLongIsEndedAndCleared() throws {
    let stage = try Stage("sleep 60")
    var outcome: ProbeOutcome?
    stage.probe.start(timeout: .milliseconds(50)) { outcome = $0 }
    try stage.turn { outcome != nil && stage.cleared >= 2 }
    #expect(outcome == .timedOut(after: .milliseconds(50)))
  }

  @Test func aProbeThatIsCancelledTellsNothingAndIsCleared() throws {
    let stage = try Stage("sleep 60")
    var outcomes = 0
    stage.probe.start(timeout: .seconds(60)) { _ in outcomes += 1 }
    try stage.loop.turn(atMost: .milliseconds(20))
    stage.probe.cancel()
    // When it is told to end, and once it has.
    try stage.turn { stage.cleared >= 2 }
    #expect(outcomes == 0)
  }
}

/// A line of shell in a session of its own, as a container would start it.
private func shellCommand(_ line: String) throws(KernelError) -> CapturedCommand {
  var (output, report): ((read: CInt, write: CInt), (read: CInt, write: CInt)) = ((-1, -1), (-1, -1))
  try check("make", "a pipe") { stack_pipe(&output.read, &output.write) }
  try check("make", "a pipe") { stack_pipe(&report.read, &report.write) }
  // Nothing is reported: the shell is started otherwise.
  close(report.write)
  defer { close(output.write) }
  let pid = try spawnShell(line, output: output.write, inSession: true)
  let pidfd = try check("open", "process \(pid)") { stack_pidfd_open(pid) }
  return CapturedCommand(
    pid: pid, pidfd: Descriptor(adopting: pidfd), output: Descriptor(adopting: output.read),
    report: Report(channel: Descriptor(adopting: report.read)), purposes: [], command: line)
}
