import CLinux
import Glibc
import Kernel
import SystemPackage

/// The channel over which a new process tells of failure, hands descriptors over, and by closing it, of success.
struct Report: ~Copyable, Sendable {
  let channel: Descriptor

  /// The messages before the end.
  struct Outcome: ~Copyable {
    var terminal: Descriptor?
    var namespace: Descriptor?
    /// The failure, if there was one.
    var failure: KernelError?
  }

  /// The meaning of a descriptor that comes with a message.
  enum Mark: CInt {
    case terminal = 1
    case namespace = 2
  }

  /// Waits for the end; with `blocks` false the end or a failure must have come, else this throws EAGAIN. `purposes` puts
  /// words to a failed operation, `command` to a failed exec.
  func outcome(
    purposes: [(action: StaticString, subject: String)], command: String, blocks: Bool = true
  ) throws(KernelError) -> Outcome {
    var outcome = Outcome()
    while true {
      // Nothing comes after a failure but the end, which another new process may hold back: it has a copy of the channel
      // until it executes its program.
      if !blocks, outcome.failure != nil { return outcome }
      var message = stack_report()
      var number: CInt = -1
      let answer = try check("hear from", "the new process") {
        stack_read_report(channel.rawValue, blocks ? 1 : 0, &message, &number)
      }
      if answer == 0 { return outcome }
      let code = Errno(rawValue: message.error)
      switch stack_report_kind(rawValue: message.kind) {
      case STACK_REPORT_DESCRIPTOR where number >= 0:
        let descriptor = Descriptor(adopting: number)
        if Mark(rawValue: message.subject) == .terminal {
          outcome.terminal = .some(descriptor)
        } else {
          outcome.namespace = .some(descriptor)
        }
      case STACK_REPORT_DESCRIPTOR:
        // The kernel drops what there is no number for, and says no more than that something is missing.
        outcome.failure = KernelError("receive", "a descriptor of the new process", errno: .tooManyOpenFiles)
      case STACK_REPORT_EXEC_FAILED:
        outcome.failure = KernelError("execute", command, errno: code)
      default:
        let index = Int(message.subject)
        let purpose = purposes.indices.contains(index) ? purposes[index] : (action: "set up", subject: "the process")
        outcome.failure = KernelError("\(purpose.action)", purpose.subject, errno: code)
      }
    }
  }

  /// Waits until the process has been executed, and answers what it handed over. When it was not, or that cannot be learned,
  /// nothing is left of it: it is ended and reaped, and this throws why.
  func confirm(
    _ process: borrowing Descriptor, purposes: [(action: StaticString, subject: String)], command: String
  ) throws(KernelError) -> Outcome {
    do throws(KernelError) {
      let outcome = try outcome(purposes: purposes, command: command)
      if let failure = outcome.failure { throw failure }
      return outcome
    } catch {
      ProcessHandle.end(process)
      throw error
    }
  }
}
