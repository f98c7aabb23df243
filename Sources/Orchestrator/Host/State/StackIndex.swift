import Addresses
import Intent
import Kernel
import Runtime
import StackFiles
import Vocabulary

/// The stacks that are up on this host, read from the state folders. It needs no supervisor.
package struct StackIndex: Sendable {
  let folders: StateFolders
  /// The stacks that are meant where none is named; nil for all.
  let scope: StackScope?

  package init(folders: StateFolders, scope: StackScope? = nil) {
    (self.folders, self.scope) = (folders, scope)
  }

  /// The names of all stacks that have state here, in order.
  package func names() -> [String] {
    Files.list(folders.run).filter { !$0.hasPrefix(".") }
  }

  /// The record of a stack; nil when there is no such stack or its record is lost.
  package func desired(_ name: String) throws(KernelError) -> DesiredStack? {
    try StackRecord(folders.stack(name)).read()
  }

  package func record(of service: String, in stack: String) throws(KernelError) -> ServiceRecord {
    try record(
      StateFile<ServiceRecord>(path: folders.stack(stack).service(service).record).read(), of: service, in: stack)
  }

  /// The record of a service, from what its file says; nil for one that cannot be read.
  func record(
    _ written: ServiceRecord?, of service: String, in stack: String
  ) throws(KernelError) -> ServiceRecord {
    let known = written.flatMap { $0.service == service ? $0 : nil }
    guard let known else { return try truthful(ServiceRecord(observing: service, in: stack), in: stack) }
    return truthful(known, in: stack)
  }

  /// A record as it is now: what was running when it was written may have ended since, with nobody to note it.
  private func truthful(_ record: ServiceRecord, in stack: String) -> ServiceRecord {
    guard record.phase.isAlive, let process = record.process else { return record }
    let presence = (try? process.presence()) ?? .absent
    guard presence != .running, presence != .ending else { return record }
    var exit = folders.stack(stack).end(of: process, in: record.service, startedAt: record.startedAt)
    if exit == nil, case .ended(let status) = presence { exit = status }
    var ended = record
    (ended.phase, ended.process, ended.exitCode) = (.exited, nil, exit.map { Int($0.shellCode) })
    return ended
  }

  /// One instance as it is to be and as it is.
  package struct ServiceStatus: Sendable {
    package var stack: String
    package var service: DesiredService
    package var record: ServiceRecord
    /// Its addresses on cables to other services.
    package var cableAddresses: [String] = []
  }

  package func services(of stack: DesiredStack) throws(KernelError) -> [ServiceStatus] {
    var records: [ServiceRecord] = []
    for service in stack.services { records.append(try record(of: service.name, in: stack.name)) }
    return statuses(of: stack, records)
  }

  /// - Parameter records: one for each service, in their order.
  func statuses(of stack: DesiredStack, _ records: [ServiceRecord]) -> [ServiceStatus] {
    var cables: [String: [String]] = [:]
    for end in stack.links.flatMap(\.ends) where !end.addresses.isEmpty {
      cables[end.service, default: []] += end.addresses.map { "\($0.address)" }
    }
    return zip(stack.services, records).map { service, record in
      ServiceStatus(
        stack: stack.name, service: service, record: record, cableAddresses: cables[service.name] ?? [])
    }
  }

  // MARK: Finding what a person means

  /// The stack that a command is about.
  ///
  /// - Parameter name: nil for the one of the folder, or else the only one there is.
  package func stack(named name: String?) throws(StackErrors) -> String {
    let names = names()
    if let name {
      guard names.contains(name) else {
        throw StackErrors([
          StackError(
            nil, "no stack named \(name) is up",
            remedy: Self.candidates(Suggestion.nearest(to: name, among: names), "bring it up: stack up FILE"))
        ])
      }
      return name
    }
    let meant = try candidates()
    guard let only = meant.first, meant.count == 1 else {
      if let scope { throw StackErrors([meant.isEmpty ? scope.absence : scope.ambiguity]) }
      throw StackErrors([
        names.isEmpty
          ? StackError(nil, "no stack is up", remedy: "bring one up: stack up FILE")
          : StackError(nil, "more than one stack is up: say which", remedy: Self.candidates(names, ""))
      ])
    }
    return only
  }

  /// An instance of a service, with the stack it is in.
  package struct Place: Hashable, Sendable {
    package var stack: String
    package var service: String

    package init(stack: String, service: String) {
      self.stack = stack
      self.service = service
    }
  }

  /// Finds one instance of a service.
  ///
  /// - Parameter replica: its number; nil for the first.
  package func find(_ text: String, replica: Int? = nil, in stack: String?) throws(StackErrors) -> Place {
    let number = replica ?? 1
    guard number > 0 else { throw StackErrors(mistake: "--index \(number) is no replica: the first is 1") }
    if number == 1, let first = try places(of: text, in: stack).first { return first }
    return try find("\(text)-\(number)", in: stack)
  }

  /// The instances that several names mean, each once, in the order of the names.
  package func places(of texts: [String], in stack: String?) throws(StackErrors) -> [Place] {
    var places: [Place] = []
    var known: Set<Place> = []
    for text in texts { places += try self.places(of: text, in: stack).filter { known.insert($0).inserted } }
    return places
  }

  /// The instances that `web1`, `web/web1`, or `web1` in a given stack means: the instance of that name, or else every
  /// replica of the service, the first one first. Never empty.
  package func places(of text: String, in stack: String?) throws(StackErrors) -> [Place] {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let (wantedStack, wanted) = parts.count == 2 ? (parts[0], parts[1]) : (stack, text)
    let stacks: [String]
    if let wantedStack { stacks = [try self.stack(named: wantedStack)] } else { stacks = try candidates() }
    if stacks.isEmpty, let scope { throw StackErrors([scope.absence]) }
    // A name is a path's last part here: one that is not, such as "..", names no service.
    let isName = !wanted.isEmpty && !wanted.contains("/") && !wanted.hasPrefix(".")
    var found: [[Place]] = []
    for stack in isName ? stacks : [] {
      let places = try instances(of: wanted, in: stack).map { Place(stack: stack, service: $0) }
      if !places.isEmpty { found.append(places) }
    }
    if found.count == 1, let places = found.first { return places }
    guard found.isEmpty else {
      throw StackErrors([
        StackError(
          nil, "service \(wanted) runs in more than one stack",
          remedy: "say which: \(found.compactMap(\.first).map { "\($0.stack)/\(wanted)" }.joined(separator: ", "))")
      ])
    }
    throw StackErrors([absence(of: wanted, in: stacks, named: wantedStack != nil)])
  }

  private func instances(of service: String, in stack: String) throws(StackErrors) -> [String] {
    let folder = folders.stack(stack)
    if Files.exists(folder.service(service).path) { return [service] }
    // A whole stack is read only where it can have replicas of that name.
    guard Files.list(folder.services).contains(where: { $0.hasPrefix("\(service)-") }) else { return [] }
    let desired = try rethrowing(stack) { () throws(KernelError) in try self.desired(stack) }
    return desired?.services.filter { $0.service == service }.map(\.name) ?? []
  }

  private func absence(of service: String, in stacks: [String], named: Bool) -> StackError {
    let known = stacks.flatMap { stack in Files.list(folders.stack(stack).services).map { (stack: stack, service: $0) }
    }
    let text = stacks.count == 1 && (named || scope != nil) ? " in stack \(stacks[0])" : ""
    let message = "no service named \(service) is up\(text)"
    // `stack exec web ls`, where web is the stack: the service comes first.
    if names().contains(service) {
      return StackError(
        nil, "\(message): \(service) is a stack",
        remedy: "name a stack by -s \(service); \(Self.candidates(known.map(\.service), "it has no services"))")
    }
    let replicas = known.filter { $0.service.hasPrefix("\(service)-") }
    let near = replicas.isEmpty ? Suggestion.nearest(to: service, among: known.map(\.service)) : replicas.map(\.service)
    let shown = known.filter { near.contains($0.service) }.map {
      scope == nil ? "\($0.stack)/\($0.service)" : $0.service
    }
    return StackError(nil, message, remedy: Self.candidates(shown, "bring its stack up: stack up FILE"))
  }

  private static func candidates(_ names: [String], _ otherwise: String) -> String {
    guard let only = names.first else { return otherwise }
    let rest = names.count > mostCandidates ? ", and \(names.count - mostCandidates) more" : ""
    return names.count == 1
      ? "there is: \(only)" : "there are: \(names.prefix(mostCandidates).joined(separator: ", "))\(rest)"
  }

  private static let mostCandidates = 5
}

extension StackIndex.ServiceStatus {
  package var name: String { service.name }
  /// True while it runs or is about to.
  package var isAlive: Bool { record.phase.isAlive }
  package var isExited: Bool { record.phase == .exited }
  package var phase: String { isPaused ? Self.paused : record.phase.rawValue }
  private static let paused = "paused"
  /// All that ``phase`` can be.
  package static let phases = ServicePhase.allCases.map(\.rawValue) + [paused]
  var isPaused: Bool { record.phase.isAlive && record.pausedAt != nil }
  package var addresses: [String] {
    (service.attachments.flatMap(\.neighbourAddresses) + service.loopback.map(\.address)).map(\.description)
      + cableAddresses
  }
  /// In rows.
  package var ports: [String] { PublishedPort.ranges(service.ports) }

  /// The pid of its process 1, as the host sees it.
  package var pid: Int32? { record.process?.pid }
}
