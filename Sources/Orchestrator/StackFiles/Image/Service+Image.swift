import ImageFormat
import Vocabulary

/// An image's setting that no service can have.
package struct ImageMergeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// As it follows the service's name.
  package var description: String
  package var remedy: String?

  init(_ description: String, remedy: String? = nil) { (self.description, self.remedy) = (description, remedy) }
}

extension StackFile.Service {
  /// The name of its image as the file has it; nil for another root.
  package var imageName: String? {
    guard case .image(let source) = rootfs.value else { return nil }
    return "\(source)"
  }

  /// True if its health check may be in an image that is not known yet.
  var mayHaveImagesCheck: Bool { imageName != nil && image == nil && !healthOverrides.isDisabled }

  /// The service as it runs from its image: what the file does not say is the image's (as `docker run` merges the two).
  ///
  /// - Throws: that there is nothing to run, or that the image says what no process can be.
  package func running(
    _ image: StackFile.ChosenImage, _ configuration: ImageConfiguration
  ) throws(ImageMergeError) -> StackFile.Service {
    let defaults = configuration.process
    var service = self
    service.image = image
    try service.mergeCommand(defaults)
    service.mergeEnvironment(defaults)
    try service.mergeUser(defaults)
    if workingDirectory == nil, let folder = defaults.workingDirectory, !folder.isEmpty {
      service.workingDirectory = Located(Self.absolute(folder), name.span)
    }
    if stopSignal == nil, let text = defaults.stopSignal, !text.isEmpty {
      guard let signal = Signal(text) else {
        throw ImageMergeError("its image wants to be stopped by \"\(text)\", which is no signal")
      }
      service.stopSignal = Located(signal, name.span)
    }
    let own = Set(labels.map(\.name.value))
    service.labels += (defaults.labels ?? [:]).sorted { $0.key < $1.key }.filter { !own.contains($0.key) }.map {
      StackFile.Label(name: Located($0.key, name.span), value: $0.value)
    }
    service.mergeVolumes(defaults)
    try service.mergeHealthCheck(defaults)
    return service
  }

  /// An entrypoint of the file drops the image's command. An empty one drops the entrypoint alone.
  private mutating func mergeCommand(_ defaults: ImageConfiguration.Process) throws(ImageMergeError) {
    let own = entrypoint?.value ?? []
    if own.isEmpty {
      if (command?.value ?? []).isEmpty { command = Located(defaults.command ?? [], name.span) }
      if entrypoint == nil { entrypoint = Located(defaults.entrypoint ?? [], name.span) }
    }
    guard let first = arguments.first else {
      throw ImageMergeError(
        "its image has neither an entrypoint nor a command, and the file has none", remedy: "give it a `command:`")
    }
    guard !first.isEmpty else { throw ImageMergeError("has an empty text for its program") }
    guard !arguments.contains(where: { $0.utf8.contains(0) }) else {
      throw ImageMergeError("its image has a command with a NUL byte")
    }
  }

  private mutating func mergeEnvironment(_ defaults: ImageConfiguration.Process) {
    // The file's count. Of two of the image's, Docker takes the first where the file has any variable, and else the last.
    let given = defaults.environment ?? []
    let ordered = environment.isEmpty ? given.reversed() : given
    var known = Set(environment.map(\.name.value))
    let variables = ordered.compactMap { entry -> StackFile.EnvironmentVariable? in
      let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, !parts[0].isEmpty, !entry.utf8.contains(0), known.insert(parts[0]).inserted else {
        return nil
      }
      return StackFile.EnvironmentVariable(name: Located(parts[0], name.span), value: parts[1])
    }
    environment = variables + environment
  }

  /// Root is looked up like any other: an image may give it further groups and another home.
  private mutating func mergeUser(_ defaults: ImageConfiguration.Process) throws(ImageMergeError) {
    if user == nil {
      let text = defaults.user ?? ""
      let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let group = parts.count == 2 && !parts[1].isEmpty ? parts[1] : nil
      let name = parts[0].isEmpty ? "0" : parts[0]
      guard ![name, group ?? ""].contains(where: { $0.utf8.contains { $0 <= 0x20 || $0 == 0x7F } }) else {
        throw ImageMergeError("its image has no proper user: \"\(text.prefix(100))\"", remedy: "give it a `user:`")
      }
      user = Located(StackFile.User(user: name, group: group), self.name.span)
    }
    for id in [user?.value.user, user?.value.group].compactMap(\.self) {
      guard !id.isEmpty, id.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { continue }
      guard let number = UInt64(id), number <= UInt64(Int32.max) else {
        throw ImageMergeError("runs as \(id), and ids end at \(Int32.max)", remedy: "give it another `user:`")
      }
    }
  }

  /// A volume of the image's that nothing is mounted on is a volume of this service alone.
  private mutating func mergeVolumes(_ defaults: ImageConfiguration.Process) {
    var mounted = Set(mounts.map(\.target.value))
    for path in (defaults.volumes ?? [:]).keys.sorted() {
      let target = Self.absolute(path)
      // An image may name one folder in two ways.
      guard target != "/", !target.utf8.contains(0), mounted.insert(target).inserted else { continue }
      mounts.append(
        StackFile.Mount(source: .anonymous, target: Located(target, name.span), isReadOnly: false, span: name.span))
    }
  }

  /// Each field that the file does not have is the image's. 0 stands for the default.
  private mutating func mergeHealthCheck(_ defaults: ImageConfiguration.Process) throws(ImageMergeError) {
    healthCheck = nil
    guard !healthOverrides.isDisabled else { return }
    let own = healthOverrides
    let theirs = defaults.healthCheck
    let test = try Self.test(theirs, defaults)
    guard let test = own.test?.value ?? test else {
      guard own == StackFile.HealthOverrides() else {
        throw ImageMergeError(
          "its image has no health check, and `healthcheck:` has no \"test\"",
          remedy: "write `test: [CMD, curl, -f, localhost]`")
      }
      return
    }
    func duration(_ nanoseconds: Int64?) -> Duration? {
      nanoseconds.flatMap { $0 > 0 ? .nanoseconds(min($0, 86400 * 1_000_000_000)) : nil }
    }
    var check = StackFile.HealthCheck(test: own.test ?? Located(test, name.span))
    check.interval = own.interval ?? duration(theirs?.interval) ?? check.interval
    check.timeout = own.timeout ?? duration(theirs?.timeout) ?? check.timeout
    check.startPeriod = own.startPeriod ?? duration(theirs?.startPeriod) ?? check.startPeriod
    check.startInterval = own.startInterval ?? duration(theirs?.startInterval) ?? check.startInterval
    check.retries = own.retries ?? theirs?.retries.flatMap { $0 > 0 ? min($0, 1_000_000) : nil } ?? check.retries
    healthCheck = check
  }

  private static func test(
    _ check: ImageConfiguration.HealthCheck?, _ defaults: ImageConfiguration.Process
  ) throws(ImageMergeError) -> StackFile.HealthCheck.Test? {
    guard let words = check?.test, let first = words.first, !first.isEmpty else { return nil }
    let rest = Array(words.dropFirst())
    switch first {
    case "NONE": return nil
    case "CMD" where !rest.isEmpty: return .command(rest)
    case "CMD-SHELL" where !rest.isEmpty:
      let shell = defaults.shell ?? []
      return shell.isEmpty ? .shell(rest[0]) : .command(shell + [rest[0]])
    default: throw ImageMergeError("its image has a health check that begins with \"\(first.prefix(100))\"")
    }
  }

  /// As from a root: nothing climbs above it.
  private static func absolute(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }
}
