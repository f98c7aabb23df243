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
    let (record, context) = try rethrowing(subject) {
      () throws(KernelError) -> (ServiceRecord, ProcessContext?) in
      let record = try self.record(folder)
      guard record.process != nil else { return (record, nil) }
      return (record, try self.recordedContext(of: place, folder))
    }
    guard let context, let running = record.process.flatMap({ ServiceProcess($0) }) else {
      throw StackErrors([
        StackError(subject, "is not running", remedy: "start it: stack start \(subject)")
      ])
    }
    guard record.pausedAt == nil else {
      throw StackErrors([StackError(subject, "is paused", remedy: "let it go on: stack unpause \(subject)")])
    }
    do throws(KernelError) {
      let entrance = try entrance(of: place, context)
      let birthplace = try entrance.birthplace()
      let hasTerminal = options.wantsTerminal && isTerminal && !options.isDetached
      let asked = asked(of: context, options)
      var process = try asked.process(
        command, terminal: hasTerminal ? self.context.environment["TERM"] ?? "xterm" : nil, openFiles: nil,
        filters: SeccompFilters(folders.cache))
      if options.isPrivileged { process.confinement = .none }
      (process.cgroup, process.cgroupEntrances) = (birthplace.descriptor, entrance.open)
      var spec = asked.joining(process)
      spec.terminal = hasTerminal
      spec.protectsProgram = true
      if options.isDetached {
        try Container.detach(into: running.process.pidfd, spec)
        return 0
      }
      return try Container.exec(into: running.process.pidfd, spec).shellCode
    } catch {
      guard let code = error.execShellCode else { throw StackErrors([StackError(subject, error)]) }
      complain("\(StackError(subject, error))")
      return code
    }
  }

  private func record(_ folder: ServiceFolder) throws(KernelError) -> ServiceRecord {
    if let record = try StateFile<ServiceRecord>(path: folder.record).read(), record.service == folder.name {
      return record
    }
    return try ServiceRecord(observing: folder.name, in: folder.stack.name)
  }

  /// The context of the service's start. One that cannot be read follows from the stack, and is written again.
  private func recordedContext(
    of place: StackIndex.Place, _ folder: ServiceFolder
  ) throws(KernelError) -> ProcessContext? {
    let file = StateFile<ProcessContext>(path: folder.execContext)
    if let context = try file.read() { return context }
    guard let service = try index.desired(place.stack)?.service(named: place.service) else { return nil }
    let group = try ControlGroups.observe().group("stack/\(place.stack)/\(place.service)")
    let context = ProcessContext(service, group.entrance(with: service.limits))
    try? file.write(context)
    return context
  }

  /// The service's control group, as recorded or as found now: a caller may see the trees at other mount points than
  /// the supervisor does.
  private func entrance(
    of place: StackIndex.Place, _ context: ProcessContext
  ) throws(KernelError) -> ControlGroupEntrance {
    if let recorded = context.entrance, recorded.isThere { return recorded }
    return try ControlGroups.observe().group("stack/\(place.stack)/\(place.service)").entrance
  }

  /// The service's own context, with what the command line has in its place.
  private func asked(of context: ProcessContext, _ options: Options) -> ProcessContext {
    var context = context
    for entry in options.environment {
      let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      context.environment[String(parts[0])] =
        parts.count == 2 ? String(parts[1]) : self.context.environment[String(parts[0])]
    }
    context.workingDirectory = options.workingDirectory ?? context.workingDirectory
    context.user = options.user ?? context.user
    return context
  }
}
