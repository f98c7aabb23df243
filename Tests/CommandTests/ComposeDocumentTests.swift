import ArgumentParser
import Foundation
import Testing

@testable import stack

/// docs/compose.md says of each command and flag of Compose what the commands themselves do.
@Suite struct ComposeDocumentTests {
  private struct Line {
    var command: String
    var flags: [String]
    var text: String
  }

  private static let document: [Line] = {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("docs/compose.md")
    let text = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
    // What stands before is about the keys of files.
    let commands = text.components(separatedBy: "\n## Commands\n").last ?? ""
    return commands.split(separator: "\n").compactMap { line in
      guard let match = line.wholeMatch(of: /\| \**`([a-z]+)(?: ([^`]+))?`\** \| (.*) \|/) else { return nil }
      let flags = match.2.map { $0.split(separator: ", ").map(String.init) } ?? []
      return Line(command: String(match.1), flags: flags, text: String(match.3))
    }
  }()

  /// The names of a command's options, by the command's name.
  private func options() throws -> [String: Set<String>] {
    struct Dump: Decodable {
      struct Command: Decodable {
        var commandName: String
        var subcommands: [Command]?
        var defaultSubcommand: String?
        var arguments: [Argument]?

        /// Those of the form that needs no word more, too.
        var allArguments: [Argument] {
          (arguments ?? []) + (subcommands?.first { $0.commandName == defaultSubcommand }?.arguments ?? [])
        }
      }
      struct Argument: Decodable {
        struct Name: Decodable {
          var kind: String
          var name: String
        }
        var names: [Name]?
      }
      var command: Command
    }
    let dump = try JSONDecoder().decode(Dump.self, from: Data(StackCommand._dumpHelp().utf8))
    return Dictionary(
      uniqueKeysWithValues: (dump.command.subcommands ?? []).map { command in
        let names = command.allArguments.flatMap { $0.names ?? [] }
        return (command.commandName, Set(names.map { ($0.kind == "long" ? "--" : "-") + $0.name }))
      })
  }

  @Test func whatWorksIsThere() throws {
    let known = try options()
    #expect(Self.document.count > 150, "docs/compose.md cannot be read")
    for line in Self.document {
      let isAbsent = line.text.hasPrefix("not there") || line.text.hasPrefix("see ")
      guard let names = known[line.command] else {
        #expect(isAbsent, "there is no command \(line.command)")
        continue
      }
      for flag in line.flags {
        #expect(names.contains(flag) != isAbsent, "stack \(line.command) \(flag): \(line.text)")
        let refusal = AbsentOption.refusal(in: [line.command, flag])
        #expect((refusal != nil) == isAbsent, "stack \(line.command) \(flag) is refused without a remedy")
      }
      #expect(!line.flags.isEmpty || !isAbsent || line.command == "build", "stack \(line.command): \(line.text)")
    }
  }

  @Test func lettersKeepTheirMeaningInEachCommand() throws {
    let known = try options()
    // Commands about a stack take -f and -s, unless Compose's letter is another.
    let exceptions: [String: Set<String>] = [
      "logs": ["-f"], "kill": ["-s"], "rm": ["-f", "-s"], "version": ["-f", "-s"], "port": [],
    ]
    for (command, names) in known where !LeadingOptions.commandsWithoutProject.contains(command) {
      guard names.contains("--stack") else { continue }
      for letter in ["-f", "-s"] where !(exceptions[command]?.contains(letter) ?? false) {
        #expect(names.contains(letter), "stack \(command) \(letter)")
      }
    }
  }

  /// What stands before a command is passed to it, so it must know it.
  @Test func commandsTakeWhatStandsBeforeThem() throws {
    for (command, names) in try options() where !LeadingOptions.commandsWithoutProject.contains(command) {
      for name in ["--file", "--project-name", "--stack", "--profile", "--env-file", "--project-directory"] {
        #expect(names.contains(name), "stack \(command) has no \(name)")
      }
    }
  }

  @Test func wordsBeforeTheCommandBecomeItsOptions() throws {
    #expect(
      try LeadingOptions(["-f", "x", "--project-name=y", "logs", "-f"]).words == [
        "logs", "--file=x", "--project-name=y", "-f",
      ])
    #expect(try LeadingOptions(["-p", "y", "version"]).words == ["version"])
    #expect(try LeadingOptions(["-f", "y", "export", "swarm"]).words == ["export", "swarm", "--file=y"])
    #expect(try LeadingOptions(["-f", "y", "build", "prune"]).words == ["build", "prune"])
    #expect(try LeadingOptions(["--dry-run", "up", "x"]).words == ["up", "--dry-run", "x"])
    #expect(try LeadingOptions(["--help"]).words == ["--help"])
    for words in [["--nothing", "up"], ["-p"], ["--ansi", "loud", "up"], ["--dry-run", "ps"]] {
      #expect(throws: LeadingOptions.Mistake.self) { try LeadingOptions(words) }
    }
  }

  @Test func keysAreRead() {
    #expect(KeySequence("ctrl-p,ctrl-q")?.bytes == [0x10, 0x11])
    #expect(KeySequence("a,ctrl-@")?.bytes == [0x61, 0])
    for text in ["", "ctrl-", "ctrl-é", "ab", "a,,b"] { #expect(KeySequence(text) == nil, "\(text)") }
  }

  @Test func templatesAreFilledIn() throws {
    let rows: [(fields: [String: String], json: String)] = [(["Name": "web", "State": "running"], "{}")]
    func lines(_ text: String) throws -> String { try OutputTemplate(text, fields: ["Name", "State"]).lines(rows) }
    #expect(try lines("{{.Name}}: {{ upper .State }}") == "web: RUNNING\n")
    #expect(try lines(#"table {{.Name}}\t{{.State}}"#) == "NAME  STATE\nweb   running\n")
    #expect(try lines("{{json .}}") == "{}\n" && lines("{{json .Name}}") == "\"web\"\n")
    for text in ["{{.Nothing}}", "{{.Name", "{{range .}}", "{{ .Name .State }}"] {
      #expect(throws: OutputTemplate.Mistake.self) { try lines(text) }
    }
  }

  @Test func tablesFitTheirTerminal() {
    let rows = [["SERVICE", "STATE", "PID", "PORTS"], ["a-long-name-of-a-service", "running", "12", "8080->80/tcp"]]
    let text = Table(rows, dispensable: [2], width: 40).text { _, _, text in text }
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 40 } && !text.contains("PID"), "\(text)")
    #expect(Table.text(rows).contains("a-long-name-of-a-service  running  12   8080->80/tcp"))
  }
}
