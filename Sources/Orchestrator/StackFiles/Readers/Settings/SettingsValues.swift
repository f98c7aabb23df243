import Isolation
import Vocabulary

extension Field {
  // MARK: ulimits

  func processLimits() -> [ProcessLimit] {
    (entries() ?? []).compactMap { entry in
      let field = self.entry(entry)
      guard let kind = ProcessLimit.Kind(rawValue: entry.key.value) else {
        let names = ProcessLimit.Kind.allCases.map(\.rawValue)
        report(
          .unknownProcessLimit, "there is no ulimit \"\(Self.shortened(entry.key.value))\"",
          Suggestion.question(about: entry.key.value, among: names), at: entry.key.span,
          help: ["there are: \(names.sorted().joined(separator: ", "))"])
        return nil
      }
      guard field.node.entries != nil else {
        return field.limitValue().map { ProcessLimit(kind, soft: $0, hard: $0) }
      }
      var draft = ProcessLimitDraft()
      ProcessLimitDraft.keys.read(field, into: &draft)
      guard let soft = draft.soft ?? draft.hard, let hard = draft.hard ?? draft.soft else {
        if field.node["soft"] == nil, field.node["hard"] == nil {
          field.report(.missingKey, "a ulimit needs \"soft\" and \"hard\"")
        }
        return nil
      }
      guard soft <= hard else {
        field.report(
          .limitsDisagree, "the ulimit \"\(kind.rawValue)\" begins above what it may be raised to",
          help: ["soft is what counts, hard the most that the service may make of it"])
        return nil
      }
      return ProcessLimit(kind, soft: soft, hard: hard)
    }
  }

  /// -1 for no limit.
  fileprivate func limitValue() -> UInt64? {
    if isMinusOne || node.scalar?.text == "unlimited" { return .max }
    return integer(in: 0...Int.max).map { UInt64($0.value) }
  }

  // MARK: sysctls

  /// By the path below /proc/sys: those of a network or ipc namespace, which a service has of its own.
  func sysctls() -> [(name: Located<String>, path: String, value: String)] {
    assignments().compactMap { name, value in
      let text = name.value
      let path =
        text.contains("/") ? text : String(text.map { $0 == "." ? "/" : $0 })
      let parts = path.split(separator: "/", omittingEmptySubsequences: false)
      let isName =
        parts.count > 1
        && parts.allSatisfy { part in
          !part.isEmpty && part != "." && part != ".." && part.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        }
      guard isName else {
        report(
          .badSysctl, "\"\(Self.shortened(text))\" cannot name a kernel parameter", at: name.span,
          help: ["write it as sysctl does: net.ipv4.ip_forward"])
        return nil
      }
      guard let value, !value.isEmpty else {
        report(.emptyText, "the sysctl \"\(Self.shortened(text))\" has no value", at: name.span)
        return nil
      }
      guard Self.isNamespaced(path) else {
        let names = ["kernel/hostname": "hostname", "kernel/domainname": "domainname"]
        report(
          .hostSysctl, "the sysctl \"\(Self.shortened(text))\" is the whole host's", at: name.span,
          help: [
            names[path].map { "write it as the service's `\($0):`" }
              ?? "a service can have its own of net.*, fs.mqueue.*, kernel.msg*, kernel.shm* and kernel.sem"
          ])
        return nil
      }
      return (name, path, value)
    }
  }

  private static func isNamespaced(_ path: String) -> Bool {
    path.hasPrefix("net/") || isOfIPC(path)
  }

  /// ipc_namespaces(7)
  static func isOfIPC(_ path: String) -> Bool {
    let single = ["msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced"]
    return path.hasPrefix("fs/mqueue/") || single.contains { path == "kernel/\($0)" }
  }

  // MARK: devices

  /// `path[:path in the service][:rwm]`, or a mapping.
  func device() -> DesiredSettings.Device? {
    if node.entries != nil {
      var draft = DeviceDraft()
      DeviceDraft.keys.read(self, into: &draft)
      guard let source = draft.source else {
        if node["source"] == nil { report(.missingKey, "a device needs a \"source\"") }
        return nil
      }
      return device(source, draft.target ?? source, draft.access)
    }
    guard let text = nonEmptyText() else { return nil }
    let parts = text.value.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    var offset = 0
    let places = parts.map { part in
      defer { offset += part.utf8.count + 1 }
      return Located(part, node.span(of: offset..<offset + part.utf8.count))
    }
    var target = places[0]
    var access: DeviceRule.Access? = .all
    switch parts.count {
    case 1: break
    case 2:
      // Docker takes the second part for what it looks like.
      if let given = DeviceRule.Access(parts[1]) { access = given } else { target = places[1] }
    case 3:
      target = places[1]
      access = deviceAccess(places[2])
    default:
      report(.badDevice, "a device has at most three parts: path:path in the service:rwm")
      return nil
    }
    return access.flatMap { device(places[0], target, $0) }
  }

  private func device(
    _ source: Located<String>, _ target: Located<String>, _ access: DeviceRule.Access
  ) -> DesiredSettings.Device? {
    guard source.value.hasPrefix("/") else {
      // The Container Device Interface: vendor.com/class=name.
      if let slash = source.value.firstIndex(of: "/"), source.value[slash...].contains("=") {
        report(
          .badDevice, "\"\(Self.shortened(source.value))\" is a CDI name, which `stack` looks up nowhere",
          at: source.span, help: ["name the files that it stands for: /dev/nvidia0, /dev/nvidiactl"])
        return nil
      }
      report(
        .badDevice, "\"\(Self.shortened(source.value))\" is not the path of a device", at: source.span,
        help: ["write an absolute path: /dev/fuse"])
      return nil
    }
    let path = Path.normalized(target.value)
    guard target.value.hasPrefix("/"), path.hasPrefix("/dev/") else {
      report(
        .badDevice, "\"\(Self.shortened(target.value))\" is not below /dev, where a service has its devices",
        at: target.span)
      return nil
    }
    return DesiredSettings.Device(
      path: Path.normalized(source.value), name: String(path.dropFirst("/dev/".count)), access: access)
  }

  fileprivate func deviceAccess(_ text: Located<String>) -> DeviceRule.Access? {
    if let access = DeviceRule.Access(text.value) { return access }
    report(
      .badDevice, "\"\(Self.shortened(text.value))\" does not say what may be done to a device", at: text.span,
      help: ["write some of r, w and m: read, write, make a node of"])
    return nil
  }

  func deviceRule(_ text: Located<String>) -> DeviceRule? {
    if let rule = DeviceRule(text.value) { return rule }
    report(
      .badDevice, "\"\(Self.shortened(text.value))\" is not a rule for devices", at: text.span,
      help: ["write a kind, its numbers and what may be done: c 10:200 rwm, b 8:* r"])
    return nil
  }

  // MARK: the rest

  func group(_ text: Located<String>) -> String? {
    let isNumber = text.value.utf8.allSatisfy { (0x30...0x39).contains($0) }
    let isFine =
      text.value.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":") }
      && (!isNumber || (UInt64(text.value).map { $0 < UInt64(UInt32.max) } ?? false))
    if isFine { return text.value }
    report(
      .badOption, "\"\(Self.shortened(text.value))\" is not a group", at: text.span,
      help: ["write a name of the service's own /etc/group, or a number"])
    return nil
  }

  /// `host`, `service:NAME`, or one of the words for a namespace of its own.
  func namespace(other: [String]) -> Located<DesiredSettings.Namespace>? {
    guard let text = nonEmptyText() else { return nil }
    if text.value == "host" { return Located(.host, text.span) }
    if other.contains(text.value) { return Located(.own, text.span) }
    if text.value.hasPrefix("container:"), let service = context.containers[String(text.value.dropFirst(10))] {
      return Located(.service(service), text.span)
    }
    let prefix = "service:"
    guard text.value.hasPrefix(prefix) else {
      reportChoice(Self.shortened(text.value), among: ["host", "service:NAME"] + other)
      return nil
    }
    let name = Located(
      String(text.value.dropFirst(prefix.count)), node.span(of: prefix.utf8.count..<text.value.utf8.count))
    guard checkName(name, .object, of: "service") else { return nil }
    return Located(.service(name.value), name.span)
  }

  func timeOffsets() -> TimeOffsets? {
    if node.entries != nil {
      var offsets = TimeOffsets()
      Self.timeOffsetKeys.read(self, into: &offsets)
      return offsets
    }
    return timeOffset().map { TimeOffsets(monotonic: $0, boot: $0) }
  }

  private static let timeOffsetKeys = KeyTable<TimeOffsets>(
    "time offset",
    [
      .read("monotonic", "of CLOCK_MONOTONIC") { field, offsets in offsets.monotonic = field.timeOffset() ?? 0 },
      .read("boottime", "of CLOCK_BOOTTIME") { field, offsets in offsets.boot = field.timeOffset() ?? 0 },
    ])

  /// Whole seconds, forwards or backwards, at most a century.
  fileprivate func timeOffset() -> Int64? {
    guard let text = nonEmptyText() else { return nil }
    let isBackwards = text.value.hasPrefix("-")
    let century: Int64 = 36_525 * 86_400
    guard let duration = try? DurationText.parse(isBackwards ? String(text.value.dropFirst()) : text.value),
      duration.components.attoseconds == 0, duration.components.seconds <= century
    else {
      report(
        .badTimeOffset, "\"\(name)\": \"\(Self.shortened(text.value))\" is not a time that clocks can be ahead",
        help: ["write whole seconds, at most a century: 1h30m, 30d, -5m"])
      return nil
    }
    return isBackwards ? -duration.components.seconds : duration.components.seconds
  }
}

private struct ProcessLimitDraft {
  var soft: UInt64?
  var hard: UInt64?

  static let keys = KeyTable<ProcessLimitDraft>(
    "ulimit",
    [
      .read("soft", "what counts; -1 for no limit") { field, draft in draft.soft = field.limitValue() },
      .read("hard", "how far the service may raise it; -1 for no limit") { field, draft in
        draft.hard = field.limitValue()
      },
    ])
}

private struct DeviceDraft {
  var source: Located<String>?
  var target: Located<String>?
  var access = DeviceRule.Access.all

  static let keys = KeyTable<DeviceDraft>(
    "device",
    [
      .read("source", "the device of the host") { field, draft in draft.source = field.nonEmptyText() },
      .read("target", "its path in the service") { field, draft in draft.target = field.nonEmptyText() },
      .read("permissions", "some of r, w and m") { field, draft in
        draft.access = field.nonEmptyText().flatMap(field.deviceAccess) ?? .all
      },
    ])
}

extension Field {
  /// Checks and values that need all keys of a service.
  func settle(_ draft: ServiceDraft, _ service: inout StackFile.Service) {
    for (name, path, value) in draft.sysctls {
      service.settings.kernelParameters[path] = value
      if path.hasPrefix("net/"), let mode = service.networkMode, mode.value != .isolated {
        report(
          .hostSysctl, "the sysctl \"\(name.value)\" belongs to the network namespace, which is not the service's own",
          at: name.span, help: ["leave it out, or leave out `network_mode:`"])
      }
      if Self.isOfIPC(path), service.settings.ipc != .own {
        report(
          .hostSysctl, "the sysctl \"\(name.value)\" belongs to the ipc namespace, which is not the service's own",
          at: name.span, help: ["leave it out, or leave out `ipc:`"])
      }
    }
    if let place = draft.uts, let other = service.hostname ?? service.domainname {
      report(
        .conflictingKeys, "a service with the host's own host name can have no other", at: other.span,
        also: [Diagnostic.Label(place, "the host's is asked for here")])
    }
    for name in draft.neighbours where !service.dependencies.contains(where: { $0.service.value == name.value }) {
      var dependency = StackFile.Dependency(service: name)
      dependency.restartsWithIt = true
      service.dependencies.append(dependency)
    }
  }
}
