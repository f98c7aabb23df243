import Host
import Intent
import Kernel
import Vocabulary

/// One command of the command line as a function: it takes values, does the work and returns values to print.
protocol Command: Sendable {
  var context: CommandContext { get }
}

extension Command {
  var folders: StateFolders { context.folders }
  var index: StackIndex { context.index }
  var interruption: Interruption { context.interruption }

  func statuses(of stack: String) throws(StackErrors) -> [StackIndex.ServiceStatus] {
    try context.statuses(of: stack)
  }
}
