import Addresses
import ArgumentParser
import Export
import Glibc
import Kernel
import Orchestrator

/// `stack export`: the same stack for another engine. Its type is named so that the module `Export` keeps its name.
struct ExportFor: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write a stack for Kubernetes or Swarm, or the files of a service.",
    discussion: """
      stack export web -o web.tar                     the files of a running service
      stack export kubernetes shop.stack -o shop/     a folder for kubectl apply -k
      stack export kubernetes shop.stack --strict     status 1 if anything is lost
      stack export swarm shop.stack | docker stack deploy -c - shop

      The report goes to standard output with `-o FOLDER`, and else to standard error.
      The exit code is 1 if the stack cannot be exported, or if anything is lost
      with --strict. It is 2 if the file or the command line is wrong, or if
      nothing could be written.
      """,
    subcommands: [Files.self, Kubernetes.self, Swarm.self], defaultSubcommand: Files.self)

  struct ReportOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

    @Option(
      name: [.customShort("o"), .long],
      help: ArgumentHelp("Where to write; - for standard output, the default.", valueName: "path"))
    var output = "-"
    @Flag(help: "End with status 1 if anything is lost.")
    var strict = false
    @Option(help: "Format of the report.")
    var report = Format.table
    @Option(
      help: ArgumentHelp(
        "The registry of images that services of host programs need: registry.example/team.", valueName: "prefix"))
    var registry: String?
    @Flag(help: "Write images with the digests that their registries have for them now.")
    var resolveImageDigests = false

    var isStandardOutput: Bool { output == "-" }

    func load(_ source: SourceOptions, _ session: Session) throws -> LoadedStack {
      let loaded = try session.taking(source.project).load(source.request)
      return resolveImageDigests ? try ImageCommand(session.context).resolvingDigests(loaded) : loaded
    }

    /// Prints the report where the documents are not, and ends as it says.
    func end(_ report: ExportReport) throws {
      // The report is where the documents are not.
      let errorWidth = isatty(STDERR_FILENO) == 1 ? Terminal.width(of: STDERR_FILENO) : nil
      let width = isStandardOutput ? errorWidth : Terminal.widthIfTerminal
      let text = self.report == .json ? VisibleText.json(report.json) : VisibleText.lines(report.text(width: width))
      if isStandardOutput {
        standardError("", String(text.dropLast()))
      } else {
        print(text, terminator: "")
      }
      guard !report.isRefused, !strict || report.isWhole else { throw ExitCode.failure }
    }
  }

  struct Kubernetes: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "kubernetes", abstract: "Write documents for kubectl apply -k.",
      discussion: """
        With -o FOLDER, the documents are a kustomize base. Rules and networks become
        NetworkPolicies, which the cluster's network plugin must enforce: flannel by
        itself does not.
        """)

    @OptionGroup var source: SourceOptions
    @OptionGroup var options: ReportOptions
    @Option(
      help: ArgumentHelp(
        "A range of the cluster's pods, Services or nodes, which is no part of the internet. Once for each.",
        valueName: "range"))
    var podCidr: [String] = []
    @Flag(help: "Add Jobs that ask from each service what it may reach.")
    var verify = false

    func run() throws {
      try Session.run(needsRoot: false, status: Verdict.unasked) { session in
        var options = ExportOptions()
        options.innerRanges = try podCidr.map { text in
          guard let range = IPPrefix(text) else {
            throw ValidationError("--pod-cidr takes a range such as 10.244.0.0/16, not \(text)")
          }
          return range
        }
        (options.registry, options.isVerifying) = (self.options.registry, verify)
        let command = ExportCommand(session.context)
        let export = try command.kubernetes(try self.options.load(source, session), options)
        if !export.report.isRefused {
          if self.options.isStandardOutput {
            print(export.manifests.stream, terminator: "")
          } else {
            try command.write(export.files, to: self.options.output)
          }
        }
        try self.options.end(export.report)
      }
    }
  }

  struct Swarm: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "swarm", abstract: "Write a file for docker stack deploy.",
      discussion: """
        Swarm has no policies. A file whose rules are not what its networks alone give
        is refused.
        """)

    @OptionGroup var source: SourceOptions
    @OptionGroup var options: ReportOptions

    func run() throws {
      try Session.run(needsRoot: false, status: Verdict.unasked) { session in
        var options = ExportOptions()
        options.registry = self.options.registry
        options.hasFolder = !self.options.isStandardOutput
        let command = ExportCommand(session.context)
        let export = try command.swarm(try self.options.load(source, session), options)
        if !export.report.isRefused {
          if self.options.isStandardOutput {
            print(export.text, terminator: "")
          } else {
            try command.write(export.text, export.files, to: self.options.output)
          }
        }
        try self.options.end(export.report)
      }
    }
  }
}
