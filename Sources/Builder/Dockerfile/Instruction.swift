import StackFiles

/// One instruction of a stage.
package struct Instruction: Sendable {
  package enum Kind: Sendable {
    case add(CopyInstruction)
    case copy(CopyInstruction)
    case run(RunInstruction)
    case argument([ArgumentDeclaration])
    case environment([Assignment])
    case label([Assignment])
    case workingFolder(UnexpandedText)
    case user(UnexpandedText)
    case volume([UnexpandedText])
    case expose([UnexpandedText])
    case command(CommandLine)
    case entrypoint(CommandLine)
    case healthCheck(HealthCheckInstruction)
    /// SHELL, at least one word.
    case shell([String])
    case stopSignal(UnexpandedText)
    case onBuild(Trigger)
    case maintainer(String)
  }

  package var kind: Kind
  /// In capitals: `COPY`.
  package var keyword: String
  /// The instruction on one line, as it is written, without what continues lines. Heredocs are not part of it.
  package var text: String
  /// The text of the instruction in the file, without the bodies of heredocs.
  package var span: Span
}

/// One `name=value` of ENV or LABEL. Both sides are expanded.
package struct Assignment: Sendable {
  package var name: UnexpandedText
  package var value: UnexpandedText
}

/// A command: a list in the JSON form, or a text for the shell.
package enum CommandLine: Sendable, Hashable {
  case words([String])
  case shell(String)
}

/// A body that follows an instruction (`<<EOF`).
package struct Heredoc: Sendable, Hashable {
  package var name: String
  /// The lines up to the terminator, each with its line break. Leading tabs stand there still.
  package var body: String
  /// False for a quoted name.
  package var isExpanded: Bool
  /// True for `<<-`.
  package var stripsTabs: Bool
  /// The number before `<<`.
  package var descriptor: Int?

  /// The body as a file gets it: without leading tabs where `<<-` says so.
  package var content: String {
    guard stripsTabs else { return body }
    return body.split(separator: "\n", omittingEmptySubsequences: false)
      .map { String($0.drop { $0 == "\t" }) }.joined(separator: "\n")
  }
}

/// COPY and ADD.
package struct CopyInstruction: Sendable {
  package enum Source: Sendable {
    case path(UnexpandedText)
    /// A file of the heredoc's name, mode 0644.
    case heredoc(Heredoc, Span)
  }

  package var sources: [Source]
  package var destination: UnexpandedText
  /// `--from`: a stage's name or number, a named context, or an image. It is not expanded.
  package var from: UnexpandedText?
  package var owner: UnexpandedText?
  package var mode: UnexpandedText?
  package var checksum: UnexpandedText?
  package var exclusions: [UnexpandedText]
  /// `--link`: accepted, and the same as a plain COPY.
  package var isLinked: Bool
  /// `--unpack` of ADD: nil to unpack local archives only.
  package var unpacks: Bool?
  /// `--parents`: the folders that lead to a source are made below the destination.
  package var keepsParents: Bool
}

/// RUN.
package struct RunInstruction: Sendable {
  package enum Network: String, Sendable { case standard = "default", none, host }

  package var command: CommandLine
  package var heredocs: [Heredoc]
  package var mounts: [UnexpandedText]
  package var network: Network
}

/// HEALTHCHECK. Durations that are nil are the default.
package struct HealthCheckInstruction: Sendable, Hashable {
  /// Nil for NONE.
  package var command: CommandLine?
  package var interval: Duration?
  package var timeout: Duration?
  package var startPeriod: Duration?
  package var startInterval: Duration?
  package var retries: Int?
}

/// An instruction that images built FROM this one begin with.
package struct Trigger: Sendable {
  /// The instruction as the image's configuration keeps it, with its heredocs.
  package var text: String
}
