import ArgumentParser
import Orchestrator

struct Config: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Check a stack file and show it as it is understood.")

  enum Format: String, ExpressibleByArgument, CaseIterable { case yaml, json }

  @OptionGroup var source: SourceOptions
  @Flag(name: [.short, .long], help: "Only check.")
  var quiet = false
  @Option(help: "yaml or json; with json, what is wrong with the file is an object a line as well.")
  var format = Format.yaml
  @Flag(help: "Only the services' names.")
  var services = false
  @Flag(help: "Only the networks' names.")
  var networks = false
  @Flag(help: "The variables that the file refers to.")
  var variables = false
  @Flag(help: "Leave $NAME as it is.")
  var noInterpolate = false

  func run() throws {
    try Session.run(needsRoot: false) { session in
      var request = source.request
      request.isInterpolating = !noInterpolate
      let loaded = try load(request, in: session)
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
