import BuildContext
import Digests
import Dockerfile
import ImageReference

/// The state in which a step is taken, beside its instruction.
package struct StepSituation: Sendable {
  /// Files that a step reads, and from where.
  package struct Input: Sendable {
    /// `the context`, `stage build`, `image python:3.12`.
    package var origin: String
    package var digest: ContentDigest

    package init(origin: String, digest: ContentDigest) { (self.origin, self.digest) = (origin, digest) }
  }

  package var workingFolder: String
  package var user: String
  package var shell: [String]
  package var platform: String
  /// The names in /etc/hosts beside the usual ones.
  package var hostNames: [String]
  /// The network that RUN has, where it is not the usual one.
  package var network: String
  /// SOURCE_DATE_EPOCH, where it is set.
  package var epoch: String?
  package var inputs: [Input]

  package init(
    workingFolder: String, user: String, shell: [String], platform: String, hostNames: [String] = [],
    network: String = "", epoch: String? = nil, inputs: [Input] = []
  ) {
    (self.workingFolder, self.user, self.shell, self.platform) = (workingFolder, user, shell, platform)
    (self.hostNames, self.network, self.epoch, self.inputs) = (hostNames, network, epoch, inputs)
  }
}

extension StepSituation {
  /// The parts of a step's key. Proxies, secrets and the contents of cache mounts are not among them.
  ///
  /// - Parameter scope: The variables before the step.
  /// - Throws: that hashing is not possible here.
  package func parts(of operation: Operation, in scope: StageScope) throws(LibraryError) -> [StepPart] {
    var parts = [StepPart(.instruction, operation.instruction.keyword, operation.text)]
    parts += settings(of: operation.kind)
    for input in inputs { parts.append(StepPart(.files, input.origin, "\(input.digest)")) }
    if let epoch { parts.append(StepPart(.setting, "SOURCE_DATE_EPOCH", epoch)) }
    switch operation.kind {
    case .run: parts += variables(in: scope)
    case .copy(let copy):
      for case .file(let name, let content) in copy.sources {
        parts.append(StepPart(.heredoc, name, "\(try ContentHash.digest(of: Array(content.utf8)))"))
      }
    default: break
    }
    return parts
  }

  private func settings(of kind: Operation.Kind) -> [StepPart] {
    switch kind {
    case .run(let run):
      var settings = [
        StepPart(.setting, "working folder", workingFolder), StepPart(.setting, "user", user),
        StepPart(.setting, "platform", platform), StepPart(.setting, "network", network),
      ]
      if case .shell = run.command {
        settings.append(StepPart(.setting, "shell", shell.joined(separator: " ")))
      }
      return settings + hostNames.sorted().map { StepPart(.setting, "host name", $0) }
    case .copy: return [StepPart(.setting, "working folder", workingFolder)]
    case .workingFolder:
      return [StepPart(.setting, "working folder", workingFolder), StepPart(.setting, "user", user)]
    default: return []
    }
  }

  private func variables(in scope: StageScope) -> [StepPart] {
    scope.variables.map { variable in
      StepPart(
        scope.arguments[variable.name] == nil ? .variable : .argument, variable.name, variable.value ?? "")
    }
  }
}
