import Control
import Host
import Intent
import Kernel
import Logs
import Runtime
import Supervision
import Vocabulary

/// A question to a stack's supervisor that it answers at once, whatever else it is doing.
struct SupervisorPulse {
  enum Answer: Hashable {
    /// It answers, and is of this build of the program.
    case build(String)
    /// Somebody listens, and does not answer.
    case silence
    /// Nobody listens.
    case none
  }

  /// The time after which a supervisor counts as silent.
  static let patience = Duration.seconds(8)

  let folder: StackFolder
  var interruption = Interruption()
  var patience = Self.patience

  /// Asks.
  func take() throws(ControlError) -> Answer {
    do throws(ControlError) {
      let client = try ControlClient(connectingIn: folder.path, timeout: patience, interruption: interruption)
      return .build(try client.call(SupervisorMethods.Build.self, Nothing(), timeout: patience).build)
    } catch {
      switch error {
      case .timedOut: return .silence
      case .interrupted: throw error
      case .failure, .invalidReply: return .build("unknown")
      case .kernel, .disconnected: return .none
      }
    }
  }

  /// The error of a command that gets no answer.
  ///
  /// - Parameter since: when it asked.
  func silence(since: LogTime) -> StackError {
    let process = SupervisorProcess.all().first { $0.stack == folder.name }
    let pid = process.map { " (pid \($0.identity.pid))" } ?? ""
    let why = process?.standstill.map { ": it \($0.words)" } ?? ""
    return StackError(
      folder.name, "its supervisor\(pid) has not answered since \(since)\(why)", remedy: Self.remedy(process, folder))
  }

  static func remedy(_ process: SupervisorProcess?, _ folder: StackFolder) -> String {
    let pid = process.map { "\($0.identity.pid)" } ?? "PID"
    let goOn = process?.standstill == .stopped ? "let it go on: kill -CONT \(pid); or " : ""
    return goOn
      + "end it: kill -9 \(pid); services go on, and the next one takes them over; see \(folder.supervisorLog)"
  }
}
