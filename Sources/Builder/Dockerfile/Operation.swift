import StackFiles

/// An instruction whose variables are expanded: what is to be done.
package struct Operation: Sendable {
  package enum Kind: Sendable, Hashable {
    case copy(CopyOperation)
    case run(RunOperation)
    /// Names with the values that hold from here on; nil for one that has none.
    case argument([NamedValue])
    case environment([NamedValue])
    case label([NamedValue])
    case workingFolder(String)
    case user(String)
    case volume([String])
    /// As a configuration has them: `80/tcp`, in order, each port of a range.
    case expose([String])
    case command(CommandLine)
    case entrypoint(CommandLine)
    case healthCheck(HealthCheckInstruction)
    case shell([String])
    case stopSignal(String)
    /// The instruction, as it goes into the configuration.
    case onBuild(String)
    case maintainer(String)
  }

  package var kind: Kind
  package var instruction: Instruction
  /// Variables without a value.
  package var warnings: [Diagnostic]
}

package struct NamedValue: Sendable, Hashable {
  package var name: String
  package var value: String?

  package init(name: String, value: String?) { (self.name, self.value) = (name, value) }
}

/// COPY and ADD, expanded.
package struct CopyOperation: Sendable, Hashable {
  package enum Source: Sendable, Hashable {
    /// A path or a pattern of Go's filepath.Match.
    case path(String)
    /// http or https, of ADD.
    case url(String)
    /// A file of this name and content, mode 0644.
    case file(name: String, content: String)
  }

  package var isAdd: Bool
  package var sources: [Source]
  package var destination: String
  /// The text of `--from`, a key of ``StageGraph/Node/origins``. Nil for the context.
  package var from: String?
  package var owner: String?
  /// A text that ``FileModeChange`` reads.
  package var mode: String?
  /// `sha256:…`, of ADD with a URL.
  package var checksum: String?
  package var exclusions: [String]
  package var isLinked: Bool
  package var unpacks: Bool?
  package var keepsParents = false
}

/// RUN, expanded. The command itself is the shell's to expand.
package struct RunOperation: Sendable, Hashable {
  package enum Command: Sendable, Hashable {
    case words([String])
    /// A text for the words of SHELL.
    case shell(String)
    /// A heredoc that begins with `#!`: a file of this name, mode 0755, to be run.
    case script(name: String, content: String)
  }

  package var command: Command
  package var mounts: [RunMount]
  package var network: RunInstruction.Network
}
