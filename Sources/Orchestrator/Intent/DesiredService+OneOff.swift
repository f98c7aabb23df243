extension DesiredService {
  /// Compose's label of instances that `run` made for one command.
  private static let oneOffLabel = "com.docker.compose.oneoff"

  /// True for an instance that `stack run` made for one command: no file has it.
  package var isOneOff: Bool { labels[Self.oneOffLabel] == "True" }

  /// The name by which stack-init knows that it only has to wait.
  package static let pause = "stack-pause"

  /// The same with a process that waits, so that the command can be run in it.
  package var held: DesiredService {
    var service = self
    service.heldCommand = process.arguments
    service.process.arguments = [Self.pause]
    (service.process.usesInit, service.process.hasTerminal, service.process.keepsStdinOpen) = (true, false, false)
    return service
  }
}
