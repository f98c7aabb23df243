import FoundationEssentials
import Glibc
import Host
import Intent
import Kernel
import Runtime
import StackFiles
import Supervision
import Vocabulary

/// Runs one command in an instance of a service that is made for it.
package struct RunCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  package struct Options: Sendable {
    /// The command; empty for the service's own.
    package var command: [String] = []
    package var entrypoint: String?
    /// `NAME=value`; a bare name takes the caller's.
    package var environment: [String] = []
    package var environmentFiles: [String] = []
    package var labels: [String] = []
    package var volumes: [String] = []
    package var published: [String] = []
    package var publishesServicePorts = false
    package var usesAliases = false
    package var user: String?
    package var workingDirectory: String?
    package var addedCapabilities: [String] = []
    package var droppedCapabilities: [String] = []
    /// The instance's name; nil for one that nobody else has.
    package var name: String?
    package var startsDependencies = true
    /// True if it runs in the background.
    package var isDetached = false
    package var isRemovedAfterwards = false
    package var wantsTerminal = true
    package var up = UpCommand.Options()

    package init() {}
  }

  /// The keys of the command line that go over those of the service.
  private struct Overlay: Encodable {
    var command: [String]?
    var entrypoint: [String]?
    var environment: [String]?
    var environmentFiles: [String]?
    var labels: [String]
    var volumes: [String]?
    var ports: [String]?
    var user: String?
    var workingDirectory: String?
    var addedCapabilities: [String]?
    var droppedCapabilities: [String]?
    var restart = "no"
    var healthCheck = ["disable": true]

    enum CodingKeys: String, CodingKey {
      case command, entrypoint, environment, labels, volumes, ports, user, restart
      case environmentFiles = "env_file"
      case workingDirectory = "working_dir"
      case addedCapabilities = "cap_add"
      case droppedCapabilities = "cap_drop"
      case healthCheck = "healthcheck"
    }

    init(_ options: Options, in folder: String) {
      func some(_ list: [String]) -> [String]? { list.isEmpty ? nil : list }
      func absolute(_ path: String) -> String { path.hasPrefix(".") ? "\(folder)/\(path)" : path }
      command = some(options.command)
      if let text = options.entrypoint {
        entrypoint = text.split(separator: " ").map(String.init)
        // The file's command belongs to its own entrypoint.
        command = options.command
      }
      environment = some(options.environment)
      environmentFiles = some(options.environmentFiles.map { $0.hasPrefix("/") ? $0 : "\(folder)/\($0)" })
      labels = options.labels + ["\(OneOffService.label)=True"]
      volumes = some(options.volumes.map(absolute))
      ports = some(options.published)
      (user, workingDirectory) = (options.user, options.workingDirectory)
      (addedCapabilities, droppedCapabilities) = (some(options.addedCapabilities), some(options.droppedCapabilities))
    }
  }

  /// The request by which files are read for this: about the further instance alone, and what it depends on.
  package func request(_ request: LoadRequest, service: String, _ options: Options) -> LoadRequest {
    var request = request
    let name = options.name ?? Self.name(for: service)
    var oneOff = OneOffService(
      of: service, named: name, overlay: JSONText.line(Overlay(options, in: context.workingFolder)))
    (oneOff.publishesPorts, oneOff.keepsAliases) = (options.publishesServicePorts, options.usesAliases)
    request.oneOff = oneOff
    (request.services, request.includesDependencies) = ([name], options.startsDependencies)
    return request
  }

  /// `web-run-3f8a21c04b7d`, as Compose names it.
  private static func name(for service: String) -> String {
    let digits = String(UInt64.random(in: 0..<1 << 48), radix: 16)
    return "\(service.prefix(46))-run-" + String(repeating: "0", count: 12 - digits.count) + digits
  }

  /// - Parameters:
  ///   - source: the stack with the further instance, as `request` had it read.
  ///   - started: called once it and what it depends on have come up.
  /// - Returns: the command's exit code; 0 for one in the background.
  package func run(
    _ source: LoadedStack, _ instance: String, _ options: Options, isTerminal: Bool,
    complain: (String) -> Void, report: (OperationEvent) -> Void, started: (OperationEvent) throws -> Void
  ) throws -> Int32 {
    var up = options.up
    up.waitsForDependencies = options.startsDependencies
    up.heldInstance = options.isDetached ? nil : instance
    var desired: DesiredStack?
    try started(try UpCommand(context).run(source, up, report: report) { desired = $0 })
    let place = StackIndex.Place(stack: source.name, service: instance)
    guard !options.isDetached, let service = desired?.service(named: instance) else { return 0 }
    var exec = ExecCommand.Options()
    exec.wantsTerminal = options.wantsTerminal
    let code = try ExecCommand(context).run(
      service.heldCommand, in: place, exec, isTerminal: isTerminal, complain: complain)
    try end(place, code)
    if options.isRemovedAfterwards {
      _ = try RemoveCommand(context).run(
        [instance], of: source.name, removesVolumes: true, stopTimeout: 0, report: { _ in })
    }
    return code
  }

  /// Ends the process that waits, as the command has ended.
  private func end(_ place: StackIndex.Place, _ code: Int32) throws(StackErrors) {
    try rethrowing("\(place.stack)/\(place.service)") { () throws(KernelError) in
      let record = try index.record(of: place.service, in: place.stack)
      guard let process = record.process.flatMap({ ServiceProcess($0) }) else { return }
      try ProcessHandle.send(SIGUSR1, value: code, to: process.process.pidfd)
      for _ in 0..<200 where try index.record(of: place.service, in: place.stack).phase.isAlive { usleep(5_000) }
    }
  }
}
