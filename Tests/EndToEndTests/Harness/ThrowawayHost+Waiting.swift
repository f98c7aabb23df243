import Foundation

/// Waiting for a state instead of for a time.
extension ThrowawayHost {
  /// Waits until a started `stack` command sleeps in one system call, by proc_pid_syscall(5): it has begun to wait.
  func awaitIdle(_ command: Subprocess) throws {
    var earlier = ""
    let isIdle = try eventually {
      let folder = try "/proc/\(process(of: command) ?? 0)"
      let name = (try? String(contentsOfFile: "\(folder)/comm", encoding: .utf8)) ?? ""
      let call = (try? String(contentsOfFile: "\(folder)/syscall", encoding: .utf8)) ?? ""
      defer { earlier = call }
      return name == "stack\n" && !call.isEmpty && call != "running\n" && call == earlier
    }
    guard isIdle else { throw HarnessError("the command does not come to rest\n\(command.output)") }
  }

  /// Looks again and again at what must not happen; false as soon as `condition` does not hold.
  func always(for time: Duration, _ condition: () throws -> Bool) rethrows -> Bool {
    let end = ContinuousClock.now + time
    while ContinuousClock.now < end {
      guard try condition() else { return false }
      usleep(20_000)
    }
    return try condition()
  }

  /// Defines `await COMMAND…` for a script of sh(1): tries until COMMAND succeeds, for half a minute at most.
  static let awaitFunction = """
    await() { tries=0; until "$@"; do tries=$((tries + 1)); [ $tries -lt 600 ] || exit 99; sleep 0.05; done; }

    """
}
