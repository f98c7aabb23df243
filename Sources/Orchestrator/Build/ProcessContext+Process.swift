import Host
import Kernel
import Runtime

extension ProcessContext {
  /// A process of the service, but for its control group.
  ///
  /// - Parameters:
  ///   - terminal: the kind of its terminal; nil for a process without one. The service's own TERM goes before it.
  ///   - openFiles: nil for the caller's own.
  package func process(
    _ arguments: [String], terminal: String?, openFiles: OpenFileLimit?, filters: SeccompFilters
  ) throws(KernelError) -> ContainerProcess {
    var process = ContainerProcess(arguments)
    let variables = (terminal.map { ["TERM": $0] } ?? [:]).merging(environment) { _, own in own }
    process.environment = variables.map { "\($0.key)=\($0.value)" }.sorted()
    process.workingDirectory = workingDirectory ?? "/"
    (process.user, process.groups) = (user, groups)
    process.confinement = try filters.confinement(security)
    (process.limits, process.openFiles) = (limits, openFiles)
    process.oomScoreAdjustment = oomScoreAdjustment
    return process
  }

  /// A process that joins the one that the service was started with.
  package func joining(_ process: ContainerProcess) -> ExecSpec {
    var spec = ExecSpec(process)
    spec.entersTimeNamespace = hasClocks
    return spec
  }
}
