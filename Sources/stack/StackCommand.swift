import ArgumentParser

/// `stack`: the root of all commands.
///
/// Each command states its name, although it equals its type's. The runtime would find the name by a walk past all
/// conformances, at every start and for every command.
@main
struct StackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stack",
    abstract: "Run several services on one Linux host, each in its own namespaces, with a declared network.",
    discussion: """
      stack up stacks/web.stack          three web servers, each on its own port 80
      stack exec web1 curl localhost     ask one from the inside
      stack down web                     restore the host
      """,
    version: Version.text,
    groupedSubcommands: [
      CommandGroup(
        name: "Run",
        subcommands: [
          Up.self, Down.self, Run.self, Create.self, Start.self, Stop.self, Restart.self, Kill.self, Rm.self,
          Scale.self,
          Pause.self, Unpause.self, Exec.self, Attach.self, Cp.self, Watch.self, Enable.self, Disable.self,
          Supervise.self, Complete.self, Unpack.self, RegistryTransfer.self,
        ]),
      CommandGroup(
        name: "Images",
        subcommands: [
          Build.self, Pull.self, Images.self, Image.self, Load.self, Save.self, Tag.self, Commit.self, Push.self,
          Login.self, Logout.self, System.self,
        ]),
      CommandGroup(
        name: "Look",
        subcommands: [
          Ps.self, Ls.self, Logs.self, Port.self, Volumes.self, Events.self, Stats.self, Top.self, Inspect.self,
          Wait.self, Licenses.self, VersionCommand.self,
        ]),
      CommandGroup(
        name: "Network", subcommands: [Network.self, Volume.self, Policy.self, Link.self, Partition.self, Heal.self]),
      CommandGroup(
        name: "Check", subcommands: [Config.self, Explain.self, ExportFor.self, Verify.self, Reach.self, Doctor.self]),
    ])
}

enum Version {
  static let number = "0.1.0"
  static let text = "stack \(number)"
}
