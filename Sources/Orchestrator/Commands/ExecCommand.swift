import Build
import Host
import Intent
import Kernel
import Runtime
import SystemPackage
import Vocabulary

/// Runs a command in a running service.
package struct ExecCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  package struct Options: Sendable {
    package var user: String?
    package var workingDirectory: String?
    /// `NAME=value`; a bare name takes the caller's.
    package var environment: [String] = []
    /// A terminal, if standard input is one.
    package var wantsTerminal = true
    /// All that the caller itself may do, whatever the service may.
    package var isPrivileged = false
    /// True if the command stays in the background, with /dev/null for its input and output.
    package var isDetached = false

    package init() {}
  }

  /// Runs a command in a running service.
  ///
  /// - Returns: its exit code: 128+n after a signal, 126 or 127 when it could not be executed.
  package func run(
    _ command: [String], in place: StackIndex.Place, _ options: Options, isTerminal: Bool,
    complain: (String) -> Void
  ) throws(StackErrors) -> Int32 {
    let subject = "\(place.stack)/\(place.service)"
    let folder = folders.stack(place.stack).service(place.service)
    let (record, context) = try rethrowing(subject) { () throws(KernelError) in
      (
        try StateFile<ServiceRecord>(path: folder.record).read(),
        try StateFile<ExecContext>(path: folder.execContext).read()
      )
    }
    guard let context, let process = record?.process.flatMap({ ServiceProcess($0) }) else {
      throw StackErrors([
        StackError(subject, "is not running", remedy: "start it: stack start \(subject)")
      ])
    }
    guard record?.pausedAt == nil else {
      throw StackErrors([StackError(subject, "is paused", remedy: "let it go on: stack unpause \(subject)")])
    }
    do throws(KernelError) {
      let entrance = try entrance(of: place, context)
      let birthplace = try entrance.birthplace()
      var spec = ExecSpec(command)
      spec.terminal = options.wantsTerminal && isTerminal && !options.isDetached
      // The terminal is the caller's, and he knows its kind.
      let terminal = spec.terminal ? ["TERM": self.context.environment["TERM"] ?? "xterm"] : [:]
      spec.environment = environment(terminal.merging(context.environment) { _, own in own }, options.environment)
      spec.workingDirectory = options.workingDirectory ?? context.workingDirectory ?? "/"
      spec.user = options.user ?? context.user
      spec.confinement =
        options.isPrivileged ? .none : try SeccompFilters(folders.cache).confinement(context.security)
      spec.cgroup = birthplace.descriptor
      spec.cgroupEntrances = entrance.open
      (spec.limits, spec.groups) = (context.limits, context.groups)
      spec.oomScoreAdjustment = context.oomScoreAdjustment
      spec.entersTimeNamespace = context.hasClocks
      spec.protectsProgram = true
      if options.isDetached {
        try Container.detach(into: process.process.pidfd, spec)
        return 0
      }
      return try Container.exec(into: process.process.pidfd, spec).shellCode
    } catch {
      guard let code = error.execShellCode else { throw StackErrors([StackError(subject, error)]) }
      complain("\(StackError(subject, error))")
      return code
    }
  }

  /// As recorded, or where it is now: a caller may see the trees elsewhere than the supervisor does.
  private func entrance(
    of place: StackIndex.Place, _ context: ExecContext
  ) throws(KernelError) -> ControlGroupEntrance {
    if let recorded = context.entrance, recorded.isThere { return recorded }
    return try ControlGroups.observe().group("stack/\(place.stack)/\(place.service)").entrance
  }

  /// The service's own variables, and over them those of the command line.
  private func environment(_ own: [String: String], _ given: [String]) -> [String] {
    var variables = own
    for entry in given {
      let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      variables[String(parts[0])] = parts.count == 2 ? String(parts[1]) : context.environment[String(parts[0])]
    }
    return variables.map { "\($0.key)=\($0.value)" }.sorted()
  }
}
