import Foundation
import Testing

/// The help texts.
@Suite struct HelpTests {
  @Test func commandsAreGrouped() throws {
    try ThrowawayHost.with { host in
      let help = try host.succeed("stack", "--help")
      var group = ""
      var groups: [String: [String]] = [:]
      for line in help.split(separator: "\n") {
        if line.hasSuffix("SUBCOMMANDS:") {
          group = String(line)
        } else if !group.isEmpty, let name = line.split(separator: " ").first, line.hasPrefix("  "),
          name.first?.isLowercase == true, !line.hasPrefix("   ")
        {
          groups[group, default: []].append(String(name))
        }
      }
      #expect(
        groups == [
          "RUN SUBCOMMANDS:": [
            "up", "down", "run", "create", "start", "stop", "restart", "kill", "rm", "scale", "pause", "unpause",
            "exec",
            "attach", "cp", "watch", "enable", "disable",
          ],
          "IMAGES SUBCOMMANDS:": [
            "build", "pull", "images", "image", "load", "save", "tag", "commit", "push", "login", "logout", "system",
          ],
          "LOOK SUBCOMMANDS:": [
            "ps", "ls", "logs", "port", "volumes", "events", "stats", "top", "inspect", "wait", "licenses", "version",
          ],
          "NETWORK SUBCOMMANDS:": ["network", "volume", "policy", "link", "partition", "heal"],
          "CHECK SUBCOMMANDS:": ["config", "explain", "export", "verify", "reach", "doctor"],
        ])
    }
  }

  @Test(arguments: ["up", "exec", "verify", "link", "policy", "cp", "partition", "reach", "explain", "export"])
  func helpShowsExamples(_ command: String) throws {
    try ThrowawayHost.with { host in
      let help = try host.succeed("stack", command, "--help")
      let usage = try #require(help.range(of: "USAGE:"))
      let examples = help[..<usage.lowerBound].split(separator: "\n\n").filter { $0.hasPrefix("stack \(command)") }
      #expect(examples.count == 1, "\(help)")
      // A line that is too long for 80 columns is broken, and its rest is no example.
      let lines = examples.first?.split(separator: "\n") ?? []
      #expect(lines.count > 1 && lines.allSatisfy { $0.hasPrefix("stack ") }, "\(help)")
    }
  }

  @Test func diagnosticsAreExplained() throws {
    try ThrowawayHost.with { host in
      let list = try host.succeed("stack", "explain")
      #expect(list.hasPrefix("E0001  ") && list.contains("\nE0550  "))
      let page = try host.succeed("stack", "explain", "E0550", "w0022")
      #expect(page.hasPrefix("error[E0550]: ") && page.contains("\nwarning[W0022]: "))
      let unknown = try host.run("stack", "explain", "E055")
      #expect(unknown.status == 1)
      #expect(
        unknown.errors
          == "error: there is no diagnostic \"E055\": did you mean \"E0550\"?\n  for all of them: stack explain\n")
    }
  }
}
