import ArgumentParser

/// `stack`: the root of all commands.
///
/// Each command says its name, though it is its type's: to find that out takes the runtime a walk past all conformances that
/// there are, at every start of the program and for every command.
@main
struct StackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stack",
    abstract:
      "Bring up several services on one host, each in its own namespaces, with the network between them declared.",
    discussion: """
      stack up stacks/web.stack          three web servers, each on its own port 80
      stack exec web1 curl localhost     talk to one from inside
      stack down web                     and the host is as it was
      """,
    version: Version.text,
    subcommands: [
      Up.self, Down.self, Ps.self, Exec.self, Attach.self, Logs.self, Start.self, Stop.self, Restart.self, Kill.self,
      Pause.self, Unpause.self, Cp.self, Wait.self, Events.self, Stats.self, Top.self, Config.self, Inspect.self,
      Policy.self, Verify.self, Reach.self, Link.self, Partition.self, Heal.self, Doctor.self, Supervise.self,
    ])
}

enum Version {
  static let text = "stack 0.1.0"
}
