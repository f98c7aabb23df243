import ArgumentParser
import Foundation
import Fuzzing
import Testing

@testable import stack

/// The tables of ``PlainlyParsed`` give what the library gives, or nothing.
@Suite struct PlainlyParsedTests {
  /// Usual command lines. The tables must know these, otherwise each start pays for the library.
  @Test(arguments: [
    "up", "up web.stack", "up stacks/web.stack db web", "up -d", "up -f a.yaml -f b.yaml -d", "up web.stack --dry-run",
    "up web.stack --progress plain", "up --project-name shop web.stack --timeout 5 --wait-timeout=90 --scale web=3",
    "up --pull always --force-recreate x.stack", "down", "down web", "down -v web", "down -t 0.5 --progress=json web",
    "exec web1 curl localhost", "exec -T web1 sh -c true", "exec -u root -e A=b -e C=d --index 2 web ls -l -- --all",
    "exec --privileged -s shop web true", "ps", "ps web", "ps -q", "ps --format json --status running web",
    "ps -a --filter status=running -p shop",
    "up -f a.yaml --env-file b.env --project-directory c -V -w -y --keep --attach web --no-attach db",
    "down -v -y -s shop --rmi all", "exec -f a.yaml web true", "__complete services -f a.yaml", "down a b", "ps a b",
    "supervise web", "supervise web /usr/libexec/stack/stack-init",
  ])
  func commonForms(_ line: String) throws {
    let words = line.split(separator: " ").map(String.init)
    let plain = try #require(StackCommand.plainCommand(words), "the library has to read it")
    #expect(try text(plain) == text(StackCommand.parseAsRoot(words)))
  }

  /// Wrong, short or unusual lines, whose reading or message is the library's.
  @Test(arguments: [
    "up --no-such", "up --timeout", "up --timeout x", "up --timeout -1", "up --force-recreate --no-recreate",
    "up --time 5", "up -t=5", "up --timeout 5 --timeout 6", "up --dry-run=yes", "up --help", "up -- a", "up -dt 5",
    "up --progress loud", "up -f -", "up --project=", "exec", "exec -h", "exec -- web true",
    "ps --status", "supervise", "supervise a b c", "supervise --help", "logs web", "",
  ])
  func theLibraryReads(_ line: String) {
    let words = line.split(separator: " ").map(String.init)
    #expect(StackCommand.plainCommand(words) == nil)
  }

  /// An option that only one of the two knows would have two meanings.
  @Test func tablesHaveEveryName() throws {
    try compareNames(Up.self)
    try compareNames(Down.self)
    try compareNames(Exec.self)
    try compareNames(Ps.self)
    try compareNames(Supervise.self)
  }

  @Test func whatBothReadIsEqual() throws {
    try compareReadings(Up.self, "up", seed: 1)
    try compareReadings(Down.self, "down", seed: 2)
    try compareReadings(Exec.self, "exec", seed: 3)
    try compareReadings(Ps.self, "ps", seed: 4)
    try compareReadings(Supervise.self, "supervise", seed: 5)
  }

  private func compareNames<Command: PlainlyParsed>(_ command: Command.Type) throws {
    let help = try JSONDecoder().decode(Help.self, from: Data(Command._dumpHelp().utf8))
    let declared = (help.command.arguments ?? []).filter { $0.kind != "positional" }
      .filter { !($0.names ?? []).contains { $0.name == "help" } }
    #expect(!declared.isEmpty || Command.plainOptions.isEmpty)
    let inTable = Dictionary(
      uniqueKeysWithValues: Command.plainOptions.map { (Set($0.names), $0.isRepeatable) })
    let inLibrary = Dictionary(
      uniqueKeysWithValues: declared.map { (Set(($0.names ?? []).map(\.typed)), $0.isRepeating) })
    #expect(inTable == inLibrary, "\(Command.self)")
  }

  private func compareReadings<Command: PlainlyParsed>(_ command: Command.Type, _ name: String, seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let values = ["5", "0.5", "-1", "nan", "a", "a=b", "json", "plain", "always", "-", "", "x.stack", "--", "1e400"]
    let names = Command.plainOptions.flatMap(\.names) + ["--no-such", "-x", "--help"]
    var both = 0
    for _ in 0..<600 {
      var words = [name]
      for _ in 0..<Int.random(in: 0...4, using: &generator) {
        let value = values.randomElement(using: &generator) ?? ""
        let option = names.randomElement(using: &generator) ?? ""
        switch Int.random(in: 0...5, using: &generator) {
        case 0: words.append(value)
        case 1: words.append("\(option)=\(value)")
        case 2: words.append(option)
        case 3: words += [option, value, value]
        default: words += [option, value]
        }
      }
      guard let plain = StackCommand.plainCommand(words) else { continue }
      both += 1
      let library = try Command.parseAsRoot(Array(words.dropFirst()))
      #expect(try text(plain) == text(library), "\(words)")
    }
    #expect(both > 8, "too few lines were read by both")
  }

  /// All values of a command, with those of its groups.
  private func text(_ command: any ParsableCommand) throws -> String {
    try #require(type(of: command) != StackCommand.self)
    return values(command).joined(separator: "\n")
  }

  private func values(_ value: Any) -> [String] {
    Mirror(reflecting: value).children.flatMap { child -> [String] in
      let parsed = Mirror(reflecting: child.value).children.first { $0.label == "_parsedValue" }
      let inner = parsed.flatMap { Mirror(reflecting: $0.value).children.first }
      let label = child.label ?? ""
      guard let inner else { return ["\(label): \(child.value)"] }
      guard inner.label == "value" else { return ["\(label): not set"] }
      if inner.value is any ParsableArguments { return values(inner.value).map { "\(label).\($0)" } }
      return ["\(label): \(inner.value)"]
    }
  }
}

/// A command as the library describes it to tools.
private struct Help: Decodable {
  struct Command: Decodable {
    let arguments: [Argument]?
  }
  struct Argument: Decodable {
    let kind: String
    let isRepeating: Bool
    let names: [Name]?
  }
  struct Name: Decodable {
    let kind: String
    let name: String

    var typed: String { (kind == "long" ? "--" : "-") + name }
  }
  let command: Command
}
