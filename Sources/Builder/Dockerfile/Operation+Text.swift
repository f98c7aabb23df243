extension Operation {
  /// The instruction on one line with its values: for progress, history and keys. No secret stands in it, since an
  /// instruction holds none.
  package var text: String { ([instruction.keyword] + words).joined(separator: " ") }

  private var words: [String] {
    switch kind {
    case .copy(let copy): copy.words
    case .run(let run): run.words
    case .argument(let values), .environment(let values), .label(let values): values.map(\.text)
    case .workingFolder(let text), .user(let text), .stopSignal(let text), .onBuild(let text), .maintainer(let text):
      [text]
    case .volume(let paths): paths
    case .expose(let ports): ports
    case .command(let line), .entrypoint(let line): [line.text]
    case .healthCheck(let check): check.words
    case .shell(let words): [CommandLine.words(words).text]
    }
  }
}

extension NamedValue {
  package init(_ name: String, _ value: String?) { (self.name, self.value) = (name, value) }

  /// `name=value`, or the name alone.
  package var text: String { value.map { "\(name)=\($0)" } ?? name }
}

extension CommandLine {
  /// As it stands in a Dockerfile.
  package var text: String {
    switch self {
    case .shell(let text): text
    case .words(let words): "[" + words.map(Self.quoted).joined(separator: ", ") + "]"
    }
  }

  private static func quoted(_ word: String) -> String {
    let escaped = word.unicodeScalars.map { scalar in
      switch scalar {
      case "\"", "\\": "\\\(scalar)"
      case "\n": "\\n"
      default: String(scalar)
      }
    }
    return "\"\(escaped.joined())\""
  }
}

extension CopyOperation {
  fileprivate var words: [String] {
    let values: [(String, String?)] = [
      ("from", from), ("chown", owner), ("chmod", mode), ("checksum", checksum),
      ("unpack", unpacks.map { $0 ? "true" : "false" }),
    ]
    let flags = values.compactMap { name, value in value.map { "--\(name)=\($0)" } }
    return flags + (keepsParents ? ["--parents"] : []) + exclusions.map { "--exclude=\($0)" } + sources.map(\.text) + [
      destination
    ]
  }
}

extension CopyOperation.Source {
  /// The path, or the name of a file whose content stands in the Dockerfile.
  package var text: String {
    switch self {
    case .path(let path): path
    case .url(let url): url
    case .file(let name, _): "<<\(name)"
    }
  }
}

extension RunOperation {
  fileprivate var words: [String] {
    let network = network == .standard ? [] : ["--network=\(network.rawValue)"]
    return mounts.map { "--mount=\($0.text)" } + network + [command.text]
  }
}

extension RunOperation.Command {
  fileprivate var text: String {
    switch self {
    case .words(let words): CommandLine.words(words).text
    case .shell(let text): text
    case .script(let name, let content): "<<\(name) \(content)"
    }
  }
}

extension RunMount {
  /// The fields that differ from nothing, in one order.
  package var text: String {
    let values: [(String, String?)] = [
      ("type", kind.rawValue), ("from", from), ("source", source), ("target", target),
      ("readonly", isReadOnly ? "true" : "false"), ("size", size.map { "\($0)" }), ("id", id),
      ("sharing", kind == .cache ? sharing.rawValue : nil), ("required", isRequired ? "true" : nil),
      ("env", variable), ("mode", mode.map { String($0, radix: 8) }), ("uid", uid.map { "\($0)" }),
      ("gid", gid.map { "\($0)" }),
    ]
    return values.compactMap { name, value in value.map { "\(name)=\($0)" } }.joined(separator: ",")
  }
}

extension HealthCheckInstruction {
  fileprivate var words: [String] {
    guard let command else { return ["NONE"] }
    let durations: [(String, Duration?)] = [
      ("interval", interval), ("timeout", timeout), ("start-period", startPeriod), ("start-interval", startInterval),
    ]
    let flags = durations.compactMap { name, value in
      value.map { "--\(name)=\($0.components.seconds)s\($0.components.attoseconds / 1_000_000_000)ns" }
    }
    return flags + (retries.map { ["--retries=\($0)"] } ?? []) + ["CMD", command.text]
  }
}
