import ArgumentParser
import Orchestrator
import SystemPackage

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
  @Flag(help: "Print the names of the volumes only.")
  var volumes = false
  @Flag(help: "Print the names of the images only.")
  var images = false
  @Flag(help: "Print the names of the profiles only.")
  var profiles = false
  @Flag(help: "Print the variables that values may refer to, with their values.")
  var environment = false
  @Option(
    help: ArgumentHelp(
      "Print a number that changes with the configuration: of a service, or * for all.", valueName: "service"))
  var hash: String?
  @Option(name: [.short, .long], help: ArgumentHelp("Write to this file.", valueName: "file"), completion: .file())
  var output: String?
  @Flag(help: "Accepted for compatibility with Compose. Paths are always printed whole.")
  var noPathResolution = false
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
    try Session.run(needsRoot: false, errors: format == .json ? .json : .text) { session in
      let session = try session.taking(source.project)
      var request = source.request
      request.isInterpolating = !noInterpolate
      var loaded = try session.load(request)
      if resolveImageDigests { loaded = try ImageCommand(session.context).resolvingDigests(loaded) }
      if quiet { return }
      try write(text(of: loaded, session))
    }
  }

  private func text(of loaded: LoadedStack, _ session: Session) throws -> String {
    func lines(_ names: [String]) -> String { names.map { "\($0)\n" }.joined() }
    if services { return lines(loaded.serviceNames) }
    if networks { return lines(loaded.networkNames) }
    if volumes { return lines(loaded.volumeNames) }
    if images { return lines(loaded.imageNames) }
    if profiles { return lines(loaded.profiles) }
    if environment { return lines(session.context.variables(of: source.request).map { "\($0)=\($1)" }) }
    if let hash {
      let hashes = loaded.hashes
      guard hash != "*" else { return lines(hashes.map { "\($0.name) \($0.hash)" }) }
      let wanted = hash.split(separator: ",").map(String.init)
      for name in wanted where !hashes.contains(where: { $0.name == name }) {
        throw ValidationError("--hash: there is no service \(name)")
      }
      return lines(hashes.filter { wanted.contains($0.name) }.map { "\($0.name) \($0.hash)" })
    }
    if variables { return Table.text([["NAME", "REQUIRED", "DEFAULT"]] + loaded.variableRows) }
    return format == .json ? loaded.json + "\n" : loaded.yaml
  }

  private func write(_ text: String) throws {
    guard let output else { return print(text, terminator: "") }
    do {
      let file = try FileDescriptor.open(
        output, .writeOnly, options: [.create, .truncate, .closeOnExec],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
      try file.closeAfter { _ = try file.writeAll(text.utf8) }
    } catch {
      throw Session.failure("cannot write \(output): \(error)")
    }
  }
}
