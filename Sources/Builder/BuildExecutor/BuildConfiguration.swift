import Dockerfile
import FoundationEssentials
import ImageFormat
import ImageReference

/// The configuration of an image while its instructions are carried out. What a base has and nothing here knows stays.
struct BuildConfiguration: Sendable {
  private var all: [String: JSONValue]
  /// True once this stage has had its own CMD.
  private var hasOwnCommand = false

  /// An empty one, for this machine.
  init(_ platform: ImagePlatform) {
    all = ["architecture": .text(platform.architecture), "os": .text(platform.os)]
    if !platform.variant.isEmpty { all["variant"] = .text(platform.variant) }
    process = ["Env": .list([.text("PATH=\(Self.searchPath)")])]
  }

  static let searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

  /// The configuration of an image, from its JSON; nil where it is damaged.
  init?(_ bytes: [UInt8]) {
    guard case .object(let all)? = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)) else { return nil }
    self.all = all
    // Those of the container that a builder of old times has committed.
    for key in ["container", "container_config", "docker_version", "id", "parent", "throwaway"] { self.all[key] = nil }
  }

  /// Begins a stage upon what another has made.
  mutating func beginStage() { hasOwnCommand = false }

  private var process: [String: JSONValue] {
    get { if case .object(let process)? = all["config"] { process } else { [:] } }
    set { all["config"] = .object(newValue) }
  }

  private func texts(_ key: String) -> [String]? {
    guard case .list(let list)? = process[key] else { return nil }
    return list.compactMap { if case .text(let text) = $0 { text } else { nil } }
  }

  private func text(_ key: String) -> String? {
    if case .text(let text)? = process[key], !text.isEmpty { text } else { nil }
  }

  private static func list(_ texts: [String]) -> JSONValue { .list(texts.map { .text($0) }) }

  var environment: [NamedValue] {
    (texts("Env") ?? []).map { entry in
      let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return NamedValue(name: String(parts[0]), value: parts.count > 1 ? String(parts[1]) : "")
    }
  }

  var user: String? { text("User") }
  var workingFolder: String { text("WorkingDir") ?? "/" }
  var shell: [String] { texts("Shell") ?? ["/bin/sh", "-c"] }

  /// The instructions that an image built upon this one begins with, which it does not keep.
  mutating func takeTriggers() -> [String] {
    defer { process["OnBuild"] = nil }
    return texts("OnBuild") ?? []
  }

  // MARK: Instructions

  mutating func setEnvironment(_ values: [NamedValue]) {
    var entries = texts("Env") ?? []
    for value in values {
      let entry = "\(value.name)=\(value.value ?? "")"
      if let place = entries.firstIndex(where: { $0.hasPrefix("\(value.name)=") }) {
        entries[place] = entry
      } else {
        entries.append(entry)
      }
    }
    process["Env"] = Self.list(entries)
  }

  mutating func setLabels(_ values: [NamedValue]) {
    var labels: [String: JSONValue] = [:]
    if case .object(let former)? = process["Labels"] { labels = former }
    for value in values { labels[value.name] = .text(value.value ?? "") }
    process["Labels"] = .object(labels)
  }

  mutating func setWorkingFolder(_ path: String) { process["WorkingDir"] = .text(path) }
  mutating func setUser(_ user: String) { process["User"] = .text(user) }
  mutating func setStopSignal(_ signal: String) { process["StopSignal"] = .text(signal) }
  mutating func setShell(_ words: [String]) { process["Shell"] = Self.list(words) }
  mutating func setAuthor(_ name: String) { all["author"] = .text(name) }

  mutating func addVolumes(_ paths: [String]) { add(paths, to: "Volumes") }
  mutating func expose(_ ports: [String]) { add(ports, to: "ExposedPorts") }

  private mutating func add(_ names: [String], to key: String) {
    var all: [String: JSONValue] = [:]
    if case .object(let former)? = process[key] { all = former }
    for name in names { all[name] = .object([:]) }
    process[key] = .object(all)
  }

  mutating func setCommand(_ line: CommandLine) {
    hasOwnCommand = true
    process["Cmd"] = Self.list(words(of: line))
    process["ArgsEscaped"] = nil
  }

  /// A command that the base has was meant for another entrypoint.
  mutating func setEntrypoint(_ line: CommandLine) {
    process["Entrypoint"] = Self.list(words(of: line))
    if !hasOwnCommand { process["Cmd"] = nil }
  }

  private func words(of line: CommandLine) -> [String] {
    switch line {
    case .words(let words): words
    case .shell(let text): shell + [text]
    }
  }

  mutating func setHealthCheck(_ check: HealthCheckInstruction) {
    var value: [String: JSONValue] = [:]
    switch check.command {
    case nil: value["Test"] = Self.list(["NONE"])
    case .words(let words)?: value["Test"] = Self.list(["CMD"] + words)
    case .shell(let text)?: value["Test"] = Self.list(["CMD-SHELL", text])
    }
    for (key, duration) in [
      ("Interval", check.interval), ("Timeout", check.timeout), ("StartPeriod", check.startPeriod),
      ("StartInterval", check.startInterval),
    ] {
      guard let duration else { continue }
      let (seconds, attoseconds) = duration.components
      value[key] = .integer(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
    if let retries = check.retries { value["Retries"] = .integer(Int64(retries)) }
    process["Healthcheck"] = .object(value)
  }

  mutating func addTrigger(_ text: String) {
    process["OnBuild"] = Self.list((texts("OnBuild") ?? []) + [text])
  }

  // MARK: The end

  mutating func addHistory(_ text: String, created: String, isEmpty: Bool) {
    var step: [String: JSONValue] = ["created": .text(created), "created_by": .text(text)]
    if isEmpty { step["empty_layer"] = .bool(true) }
    var history: [JSONValue] = []
    if case .list(let former)? = all["history"] { history = former }
    all["history"] = .list(history + [.object(step)])
  }

  /// For keys of the cache: all that a step may see of it.
  var digestible: [UInt8] { Self.json(.object(process)) }

  /// The same as JSON, with the layers.
  func bytes(layers: [ContentDigest], created: String) -> [UInt8] {
    var all = all
    all["created"] = .text(created)
    all["rootfs"] = .object(["type": .text("layers"), "diff_ids": .list(layers.map { .text("\($0)") })])
    return Self.json(.object(all))
  }

  private static func json(_ value: JSONValue) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Texts and numbers can always be encoded.
    return (try? encoder.encode(value)).map { Array($0) } ?? []
  }
}
