import ArgumentParser
import Orchestrator

struct Config: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Check a stack file, and print it as `stack` reads it.")

  enum Format: String, ExpressibleByArgument, CaseIterable { case yaml, json }

  @OptionGroup var source: SourceOptions
  @Flag(name: [.short, .long], help: "Check only, and print nothing.")
  var quiet = false
  @Option(help: "Format of the output. With json, diagnostics are JSON too, one object a line.")
  var format = Format.yaml
  @Flag(help: "Print the names of the services only.")
  var services = false
  @Flag(help: "Print the names of the networks only.")
  var networks = false
  @Flag(help: "Print the variables that the file refers to.")
  var variables = false
  @Flag(help: "Print images with the digests that their registries have for them now.")
  var resolveImageDigests = false
  @Flag(help: "Do not replace variables such as $NAME.")
  var noInterpolate = false

  @Flag(help: "Print a JSON Schema of stack files, for editors.")
  var schema = false

  func run() throws {
    if schema { return print(StackSchemaText.text) }
    try Session.run(needsRoot: false) { session in
      var request = source.request
      request.isInterpolating = !noInterpolate
      var loaded = try load(request, in: session)
      if resolveImageDigests { loaded = try ImageCommand(session.context).resolvingDigests(loaded) }
      if quiet { return }
      if services {
        for name in loaded.serviceNames { print(name) }
      } else if networks {
        for name in loaded.networkNames { print(name) }
      } else if variables {
        print(Table.text([["NAME", "REQUIRED", "DEFAULT"]] + loaded.variableRows), terminator: "")
      } else {
        print(format == .json ? loaded.json : loaded.yaml, terminator: "")
      }
    }
  }

  private func load(_ request: LoadRequest, in session: Session) throws -> LoadedStack {
    do {
      return try session.load(request)
    } catch let error as FileDiagnostics where format == .json {
      print(error.json, terminator: "")
      throw ExitCode.failure
    }
  }
}
