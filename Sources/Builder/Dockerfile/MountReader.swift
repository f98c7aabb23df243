import StackFiles
import Vocabulary

/// Reads a `--mount` of RUN: `type=cache,target=/root/.cache`.
struct MountReader {
  let flag: UnexpandedText

  static let keys = [
    "type", "from", "source", "src", "target", "dst", "destination", "readonly", "ro", "readwrite", "rw", "id",
    "sharing", "required", "size", "mode", "uid", "gid", "env",
  ]

  init(_ flag: UnexpandedText) { self.flag = flag }

  /// Reads it where it holds no variable. Otherwise it is read once they are known.
  func check() throws(Diagnostic) {
    if let from = try fields().first(where: { $0.key == "from" }), from.value?.contains("$") ?? false {
      throw wrong("from= cannot hold a variable", help: ["name the image in a stage of its own, and write from=STAGE"])
    }
    guard !flag.text.contains("$") else { return }
    _ = try mount { $0 }
  }

  /// The name in `from=`. It holds no variable.
  var origin: UnexpandedText? {
    guard let fields = try? fields(), let from = fields.last(where: { $0.key == "from" })?.value else { return nil }
    return UnexpandedText(from, flag.span)
  }

  /// - Parameter expand: Gives a value with its variables resolved.
  func mount(_ expand: (String) throws(Diagnostic) -> String) throws(Diagnostic) -> RunMount {
    var mount = RunMount()
    var isReadOnly: Bool?
    let fields = try fields()
    // The type says which keys are meant, and may stand last.
    if let type = fields.last(where: { $0.key == "type" })?.value { mount.kind = try kind(try expand(type)) }
    for (key, written) in fields where key != "type" {
      let value: String? = if let written { try expand(written) } else { nil }
      switch key {
      case "readonly", "ro": isReadOnly = try truth(key, value)
      case "readwrite", "rw": isReadOnly = try !truth(key, value)
      case "required":
        guard mount.kind == .secret || mount.kind == .ssh else { throw unfit(key, mount.kind) }
        mount.isRequired = try truth(key, value)
      default:
        guard let value else { throw wrong("\(key) has no value", help: ["write \(key)=VALUE"]) }
        try set(key, value, of: &mount)
      }
    }
    mount.isReadOnly = isReadOnly ?? (mount.kind != .cache && mount.kind != .tmpfs)
    // The working folder, as BuildKit has it.
    if mount.kind != .secret, mount.kind != .ssh, (mount.target ?? "").isEmpty { mount.target = "." }
    try checkKeys(of: mount, fields.map(\.key))
    return mount
  }

  // MARK: - Fields

  /// The fields between commas, as CSV has them: a field may be quoted.
  private func fields() throws(Diagnostic) -> [(key: String, value: String?)] {
    var fields: [String] = []
    var field = ""
    var isQuoted = false
    for character in flag.text {
      if character == "\"" {
        isQuoted.toggle()
      } else if character == ",", !isQuoted {
        fields.append(field)
        field = ""
      } else {
        field.append(character)
      }
    }
    if isQuoted { throw wrong("a quote is not closed") }
    fields.append(field)
    return fields.map { field in
      let halves = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      return (halves[0].lowercased(), halves.count > 1 ? halves[1] : nil)
    }
  }

  private func set(_ key: String, _ value: String, of mount: inout RunMount) throws(Diagnostic) {
    switch key {
    case "from": mount.from = value
    case "source", "src": mount.source = value
    case "target", "dst", "destination": mount.target = value
    case "id": mount.id = value
    case "env": mount.variable = value
    case "sharing":
      guard let sharing = RunMount.Sharing(rawValue: value.lowercased()) else {
        throw wrong(choice: "sharing", value, RunMount.Sharing.allCases.map(\.rawValue))
      }
      mount.sharing = sharing
    case "size":
      guard let size = ByteSize.parse(value) else { throw wrong("\"\(value)\" is no size", help: ["size=64m"]) }
      mount.size = size
    case "mode": mount.mode = try number(key, value, radix: 8)
    case "uid": mount.uid = try number(key, value, radix: 10)
    case "gid": mount.gid = try number(key, value, radix: 10)
    default:
      throw Diagnostic(
        .badFlagValue, "a mount has no key \"\(key)\"", at: flag.span,
        Suggestion.question(about: key, among: Self.keys))
    }
  }

  private func kind(_ text: String) throws(Diagnostic) -> RunMount.Kind {
    guard let kind = RunMount.Kind(rawValue: text.lowercased()) else {
      throw wrong(choice: "type", text, RunMount.Kind.allCases.map(\.rawValue))
    }
    return kind
  }

  private func truth(_ key: String, _ value: String?) throws(Diagnostic) -> Bool {
    switch value?.lowercased() {
    case nil, "1", "t", "true": return true
    case "0", "f", "false": return false
    default: throw wrong("\(key) cannot be \"\(value ?? "")\"", help: ["write true or false"])
    }
  }

  private func number(_ key: String, _ value: String, radix: Int) throws(Diagnostic) -> UInt32 {
    guard value.utf8.allSatisfy(\.isDigit), let number = UInt32(value, radix: radix) else {
      throw wrong(
        "\(key) cannot be \"\(value)\"", help: [radix == 8 ? "write an octal number: 0755" : "write a number"])
    }
    return number
  }

  // MARK: - Keys that fit

  private func checkKeys(of mount: RunMount, _ keys: [String]) throws(Diagnostic) {
    let fitting: [String: [RunMount.Kind]] = [
      "size": [.tmpfs], "sharing": [.cache], "env": [.secret], "mode": [.secret, .ssh, .cache],
      "uid": [.secret, .ssh, .cache], "gid": [.secret, .ssh, .cache], "from": [.bind, .cache],
    ]
    for key in keys {
      if let kinds = fitting[key], !kinds.contains(mount.kind) { throw unfit(key, mount.kind) }
    }
    switch mount.kind {
    case .bind, .cache, .tmpfs:
      let target = mount.target ?? "."
      guard !target.hasPrefix("/") || target.split(separator: "/").contains(where: { $0 != "." }) else {
        throw wrong("the root cannot be the target of a mount", help: ["mount below it: target=/src"])
      }
    case .secret:
      guard mount.id != nil || mount.source != nil || mount.target != nil else {
        throw wrong("a secret mount needs an id", help: ["add id=NAME"])
      }
    case .ssh:
      throw Diagnostic(
        .notBuilt, "stack gives builds no ssh agent", at: flag.span,
        help: ["copy what the step fetches into the context, or give it a token: --mount=type=secret,id=token"])
    }
  }

  private func unfit(_ key: String, _ kind: RunMount.Kind) -> Diagnostic {
    wrong("a \(kind.rawValue) mount has no \(key)", help: ["remove \(key), or say which type is meant: type=…"])
  }

  private func wrong(choice key: String, _ text: String, _ known: [String]) -> Diagnostic {
    Diagnostic(
      .badFlagValue, "\(key) cannot be \"\(text)\"", at: flag.span, Suggestion.question(about: text, among: known),
      help: ["one of: " + known.joined(separator: ", ")])
  }

  private func wrong(_ message: String, help: [String] = []) -> Diagnostic {
    Diagnostic(.badFlagValue, message, at: flag.span, help: help)
  }
}
