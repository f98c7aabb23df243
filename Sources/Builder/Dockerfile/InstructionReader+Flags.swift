import StackFiles
import Vocabulary

/// The instructions that have flags.
extension InstructionReader {
  func refuseFlags() throws(Diagnostic) {
    guard Self.keywords.contains(parts.keyword) else { return }
    _ = try FlagReader(parts, [:])
  }

  // MARK: - FROM

  /// The stage that a FROM begins. Its index is that of the first.
  func stage() throws(Diagnostic) -> Stage {
    let flags = try FlagReader(parts, ["platform": .text])
    let words = parts.line.words(in: parts.arguments)
    let isNamed = words.count == 3 && parts.line.text(words[1]).lowercased() == "as"
    guard let first = words.first, words.count == 1 || isNamed else {
      throw missing("an image, and may have a name for the stage", example: "FROM debian:12 AS build")
    }
    let name = isNamed ? try stageName(words[2]) : nil
    return Stage(
      index: 0, name: name, base: parts.line.expression(first), platform: flags["platform"], instructions: [],
      span: parts.span)
  }

  private func stageName(_ range: Range<Int>) throws(Diagnostic) -> String {
    let name = parts.line.text(range).lowercased()
    let isName = name.utf8.allSatisfy { $0.isNamePart || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
    guard isName, name.utf8.first.map({ (0x61...0x7A).contains($0) }) ?? false else {
      throw Diagnostic(
        .badStageName, "\"\(name)\" cannot be the name of a stage", at: parts.line.span(range),
        help: ["begin with a letter; digits, \"-\", \"_\" and \".\" may follow"])
    }
    return name
  }

  // MARK: - COPY and ADD

  func copy(isAdd: Bool) throws(Diagnostic) -> CopyInstruction {
    var known: [String: FlagReader.Kind] = ["chown": .text, "chmod": .text, "link": .truth, "exclude": .list]
    let own: [String: FlagReader.Kind] =
      isAdd
      ? ["checksum": .text, "keep-git-dir": .truth, "unpack": .truth] : ["from": .text, "parents": .truth]
    known.merge(own) { $1 }
    let flags = try FlagReader(parts, known)
    if flags.isTrue("keep-git-dir") {
      throw Diagnostic(
        .notBuilt, "stack does not fetch from git, so --keep-git-dir has nothing to keep",
        at: flags["keep-git-dir"]?.span ?? parts.span, help: ["clone it into the context, or run git in a step"])
    }
    let (sources, destination) = try copyPaths()
    if let checksum = flags["checksum"], sources.count > 1 {
      throw Diagnostic(
        .badFlagValue, "--checksum is that of one file, and this ADD has \(sources.count) sources", at: checksum.span,
        help: ["write an ADD for each file"])
    }
    return CopyInstruction(
      sources: sources, destination: destination, from: try origin(flags["from"]), owner: flags["chown"],
      mode: flags["chmod"], checksum: flags["checksum"], exclusions: flags.list("exclude"),
      isLinked: flags.isTrue("link"), unpacks: flags["unpack"].map { $0.text == "true" },
      keepsParents: flags.isTrue("parents"))
  }

  /// The stages that a build needs must be known before it begins, so that nothing of it is expanded.
  func origin(_ from: UnexpandedText?) throws(Diagnostic) -> UnexpandedText? {
    guard let from, from.text.contains("$") else { return from }
    throw Diagnostic(
      .badFlagValue, "--from cannot hold a variable", at: from.span,
      help: ["name the image in a stage of its own, FROM \(from.text) AS source, and write --from=source"])
  }

  private func copyPaths() throws(Diagnostic) -> ([CopyInstruction.Source], UnexpandedText) {
    let words = try pathList()
    guard words.count >= 2, let destination = words.last else {
      throw missing("a source and a destination", example: "\(parts.keyword) src/ /app/")
    }
    if try head(destination) != nil {
      throw Diagnostic(
        .badInstruction, "a heredoc cannot be the destination", at: destination.span,
        help: ["add the path that it is to be written to"])
    }
    var sources: [CopyInstruction.Source] = []
    for word in words.dropLast() {
      if let head = try head(word), let heredoc = heredocs.last(where: { $0.name == head.name }) {
        sources.append(.heredoc(heredoc, word.span))
      } else {
        sources.append(.path(word))
      }
    }
    return (sources, destination)
  }

  private func head(_ word: UnexpandedText) throws(Diagnostic) -> Heredoc? {
    do {
      return try Heredoc.head(word.text)
    } catch {
      throw Diagnostic(.badExpansion, "cannot read a heredoc's name: \(error.message)", at: word.span)
    }
  }

  // MARK: - RUN

  func run() throws(Diagnostic) -> RunInstruction {
    let flags = try FlagReader(parts, ["mount": .list, "network": .text, "security": .text, "device": .list])
    if let device = flags["device"] {
      throw Diagnostic(.notBuilt, "stack gives builds no devices", at: device.span, help: ["remove --device"])
    }
    try checkSecurity(flags["security"])
    let mounts = flags.list("mount")
    for mount in mounts { try MountReader(mount).check() }
    let command = try commandLine()
    guard command != .words([]) || !heredocs.isEmpty else { throw missing("a command", example: "RUN apt-get update") }
    return RunInstruction(
      command: command, heredocs: heredocs, mounts: mounts, network: try network(flags["network"]))
  }

  private func checkSecurity(_ security: UnexpandedText?) throws(Diagnostic) {
    guard let security, security.text.lowercased() != "sandbox" else { return }
    guard security.text.lowercased() == "insecure" else {
      throw Diagnostic(
        .badFlagValue, "--security cannot be \"\(security.text)\"", at: security.span,
        Suggestion.question(about: security.text, among: ["sandbox"]))
    }
    throw Diagnostic(
      .notBuilt, "stack runs every step of a build in the sandbox", at: security.span,
      help: ["remove --security=insecure; a step that needs rights over the host cannot be built"])
  }

  private func network(_ network: UnexpandedText?) throws(Diagnostic) -> RunInstruction.Network {
    guard let network else { return .standard }
    guard let value = RunInstruction.Network(rawValue: network.text.lowercased()) else {
      throw Diagnostic(
        .badFlagValue, "--network cannot be \"\(network.text)\"", at: network.span,
        Suggestion.question(about: network.text, among: ["default", "none", "host"]),
        help: ["write default, none or host"])
    }
    return value
  }

  // MARK: - HEALTHCHECK

  func healthCheck() throws(Diagnostic) -> HealthCheckInstruction {
    let flags = try FlagReader(
      parts,
      ["interval": .text, "timeout": .text, "start-period": .text, "start-interval": .text, "retries": .text])
    let example = "HEALTHCHECK CMD curl -f http://localhost/"
    guard let kind = parts.line.words(in: parts.arguments).first else { throw missing("CMD or NONE", example: example) }
    let rest = InstructionParts(parts.line, parts.arguments, escape: parts.escape)
    switch parts.line.text(kind).uppercased() {
    case "NONE":
      guard rest.arguments.isEmpty else {
        throw Diagnostic(.badInstruction, "NONE takes no command", at: rest.argumentSpan)
      }
      return HealthCheckInstruction()
    case "CMD":
      let start = parts.line.trimmed(kind.upperBound..<parts.arguments.upperBound)
      guard !start.isEmpty else { throw missing("a command behind CMD", example: example) }
      return HealthCheckInstruction(
        command: try healthCommand(start), interval: try duration(flags["interval"]),
        timeout: try duration(flags["timeout"]), startPeriod: try duration(flags["start-period"]),
        startInterval: try duration(flags["start-interval"]), retries: try retries(flags["retries"]))
    default:
      throw Diagnostic(
        .badInstruction, "HEALTHCHECK begins with CMD or NONE", at: parts.line.span(kind),
        Suggestion.question(about: parts.line.text(kind), among: ["CMD", "NONE"]), help: ["for example: \(example)"])
    }
  }

  private func healthCommand(_ range: Range<Int>) throws(Diagnostic) -> CommandLine {
    let text = parts.line.text(range)
    switch JSONWords(text) {
    case .words(let words) where !words.isEmpty: return .words(words)
    case .words:
      throw missing("a command behind CMD", example: #"HEALTHCHECK CMD ["curl", "-f", "http://localhost/"]"#)
    case .otherValues:
      throw Diagnostic(
        .badJSONForm, "the list holds something that is no text", at: parts.line.span(range),
        help: ["put every word between double quotes"])
    case .malformed, .absent: return .shell(text)
    }
  }

  private func duration(_ flag: UnexpandedText?) throws(Diagnostic) -> Duration? {
    guard let flag, !flag.text.isEmpty else { return nil }
    guard let duration = try? DurationText.parse(flag.text), duration == .zero || duration >= .milliseconds(1) else {
      throw Diagnostic(
        .badFlagValue, "\"\(flag.text)\" is no duration of a millisecond or more", at: flag.span,
        help: ["write a number with its unit: 30s, 1m30s, 500ms"])
    }
    return duration == .zero ? nil : duration
  }

  private func retries(_ flag: UnexpandedText?) throws(Diagnostic) -> Int? {
    guard let flag, !flag.text.isEmpty else { return nil }
    guard let count = Int32(flag.text), count >= 0 else {
      throw Diagnostic(.badFlagValue, "\"\(flag.text)\" is no count of retries", at: flag.span)
    }
    return count == 0 ? nil : Int(count)
  }

  // MARK: - ONBUILD

  func trigger() throws(Diagnostic) -> Trigger {
    try refuseFlags()
    guard let nested = parts.nested else { throw missing("an instruction", example: "ONBUILD COPY . /app") }
    guard !["ONBUILD", "FROM", "MAINTAINER"].contains(nested.keyword) else {
      throw Diagnostic(
        .badTrigger, "\(nested.keyword) cannot stand behind ONBUILD", at: nested.keywordSpan,
        help: ["write the instruction that images built FROM this one are to begin with"])
    }
    _ = try InstructionReader(parts: nested, heredocs: heredocs, diagnostics: diagnostics).instruction()
    let bodies = heredocs.map { "\n\($0.body)\($0.name)" }.joined()
    return Trigger(text: nested.line.text(nested.whole) + bodies)
  }
}
