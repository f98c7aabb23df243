import Foundation
import Testing

/// A value that cannot be meant is status 2 and a line that names the option, for every option of every command.
@Suite struct OptionValueTests {
  /// The words before the option, so that nothing else is wrong. Others need none.
  private static let words: [String: String] = [
    "attach": "web", "cp": "web:/etc/hostname copy", "export": "web", "export files": "web", "commit": "web some:image",
    "port": "web 80", "wait": "web", "scale": "web=1", "partition": "web db", "reach": "web db:80",
    "link": "web:default",
    "exec": "", "run": "", "network create": "n", "network inspect": "n", "network rm": "n", "volume create": "v",
    "tag": "a:1 b:1", "load": "", "save": "a:1", "image history": "a:1", "login": "", "logout": "",
  ]

  /// Values that no option of the name takes.
  private static let wrong: [String: String] = [
    "--index": "nonsense", "--timeout": "nonsense", "--wait-timeout": "nonsense", "--format": "nonsense",
    "--since": "nonsense", "--until": "nonsense", "--tail": "nonsense", "--scale": "nonsense", "--pull": "nonsense",
    "--progress": "nonsense", "--rmi": "nonsense", "--signal": "nonsense", "--status": "nonsense",
    "--filter": "nonsense", "--protocol": "nonsense", "--transport": "nonsense", "--policy": "nonsense",
    "--platform": "nonsense", "--report": "nonsense", "--pod-cidr": "nonsense", "--detach-keys": "nonsense",
    "--sig-proxy": "nonsense", "--driver": "nonsense", "--subnet": "nonsense", "--gateway": "nonsense",
    "--ip-range": "nonsense", "--mtu": "nonsense", "--rate": "nonsense", "--delay": "nonsense", "--jitter": "nonsense",
    "--loss": "nonsense", "--duplicate": "nonsense", "--corrupt": "nonsense", "--reorder": "nonsense",
    "--for": "nonsense", "--attach": "nonsense", "--no-attach": "nonsense", "--keep": "nonsense", "--only": "nonsense",
    "--exit-code-from": "nonsense",
    "--hash": "nonsense", "--build-arg": "=x", "--build-context": "nonsense", "--add-host": "nonsense",
    "--secret": "nonsense", "--env-file": "nonsense", "--project-directory": "/nonsense", "--file": "/nonsense",
    "--stack": "non/sense", "--project-name": "non/sense", "--label": "=x", "--env": "=x",
  ]

  /// Names and texts that could be anything, or that are looked for elsewhere.
  private static let free: Set<String> = [
    "--profile", "--output", "--input", "--tag", "--target", "--network", "--registry",
    "--outside", "--message", "--author", "--username", "--password", "--user", "--workdir",
  ]

  private struct Command {
    var name: String
    /// Long names of the options that take values.
    var options: [String]
  }

  private func commands(_ host: ThrowawayHost) throws -> [Command] {
    let help = try host.succeed("stack", "--help").split(separator: "\n")
    let names = Set(
      help.filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
        .compactMap { $0.split(separator: " ").first.map(String.init) }.filter { $0.first?.isLowercase == true })
    var found: [Command] = []
    func add(_ node: [String: Any], _ name: String) {
      let arguments = node["arguments"] as? [[String: Any]] ?? []
      let options = arguments.filter { $0["kind"] as? String == "option" }.compactMap { argument -> String? in
        (argument["names"] as? [[String: String]] ?? []).first { $0["kind"] == "long" }?["name"].map { "--\($0)" }
      }
      found.append(Command(name: name, options: options))
      for part in node["subcommands"] as? [[String: Any]] ?? [] {
        add(part, "\(name) \(part["commandName"] as? String ?? "")")
      }
    }
    for name in names.sorted() where !["stack", "help", "run", "exec"].contains(name) {
      let text = try host.run("stack", name, "--experimental-dump-help").output
      let root = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
      if let command = root?["command"] as? [String: Any] { add(command, name) }
    }
    // All that follows their first word is another command's.
    let shared = ["--env-file", "--project-directory", "--file", "--stack", "--project-name", "--env"]
    found.append(Command(name: "exec", options: shared + ["--index"]))
    found.append(Command(name: "run", options: shared + ["--pull", "--progress", "--label"]))
    return found
  }

  @Test func eachOptionRefusesNonsense() throws {
    try ThrowawayHost.with { host in
      let file = "services: {web: {command: [sleep, infinity]}, db: {command: [sleep, infinity]}}\n"
      try host.write(file, to: "compose.yaml")
      try host.succeed("stack", "up", "-d")
      let commands = try commands(host)
      #expect(commands.count > 50)
      var asked = 0
      for command in commands {
        for option in command.options where !Self.free.contains(option) {
          guard let value = Self.wrong[option] else {
            Issue.record("no line of this test gives stack \(command.name) \(option) a wrong value")
            continue
          }
          // A name alone is taken for the caller's variable, and a label without a value is one.
          let known = ["exec", "run"].contains(command.name) ? "web true" : Self.words[command.name] ?? ""
          let isBefore = ["exec", "run"].contains(command.name)
          let line = isBefore ? "\(option) \(value) \(known)" : "\(known) \(option) \(value)"
          let outcome = try host.run("sh", "-c", "timeout 5 stack \(command.name) \(line) </dev/null")
          asked += 1
          // Values of a file's keys are told as these are.
          let names = [String(option.dropFirst(2)), "command line", String(value.drop { $0 == "=" })]
          let isNamed = names.contains { !$0.isEmpty && outcome.errors.contains($0) }
          #expect(outcome.status == 2 && isNamed, "stack \(command.name) \(line): \(outcome)")
        }
      }
      #expect(asked > 250, "\(asked)")
    }
  }
}
