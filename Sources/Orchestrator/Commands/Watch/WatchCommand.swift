import Glibc
import Host
import Intent
import Kernel
import Runtime
import StackFiles
import Supervision
import Vocabulary

/// Brings changes of the host's files into services, as `develop: watch:` says.
package struct WatchCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// Quiet for so long means that an editor or a checkout is done.
  private static let quiet: CInt = 100

  private struct Rule {
    var service: String
    var rule: StackFile.WatchRule
    var ignored: FilePatterns
    var included: FilePatterns
    /// Nil for a service that is not built.
    var hidden: HiddenPaths?

    /// True for a folder in which nothing counts.
    func leavesOut(_ folder: String) -> Bool {
      guard let rest = WatchCommand.relative(folder, to: rule.path.value), !rest.isEmpty else { return false }
      return rest == ".git" || ignored.contains(rest) || hidden?.containsAll(of: folder) == true
    }
  }

  /// Looks for rules before anything is done.
  ///
  /// - Throws: that there is nothing to watch.
  package func confirmRules(of loaded: LoadedStack, services: [String]) throws(StackErrors) {
    _ = try rules(of: loaded, services)
  }

  private func rules(of loaded: LoadedStack, _ services: [String]) throws(StackErrors) -> [Rule] {
    let rules = loaded.allServices.filter { services.isEmpty || services.contains($0.name.value) }.flatMap { service in
      let hidden = service.watchRules.isEmpty ? nil : BuildCommand(context).hiddenPaths(of: service)
      return service.watchRules.map { rule in
        var rule = rule
        rule.path.value = Self.resolved(rule.path.value)
        return Rule(
          service: service.name.value, rule: rule, ignored: FilePatterns(rule.ignored),
          included: FilePatterns(rule.included), hidden: hidden)
      }
    }
    guard !rules.isEmpty else {
      throw StackErrors([
        StackError(
          loaded.name, "has no service with `develop: watch:`",
          remedy: "write `develop: {watch: [{path: ./src, action: sync, target: /app}]}` in one")
      ])
    }
    return rules
  }

  /// The path that links lead to (realpath(3)); the path itself where there is nothing.
  static func resolved(_ path: String) -> String {
    guard let found = realpath(path, nil) else { return path }
    defer { free(found) }
    return String(cString: found)
  }

  /// Watches until the user wants to stop.
  ///
  /// - Parameters:
  ///   - services: those that are meant; all with rules when empty.
  ///   - rebuild: builds the image of a service and makes it anew. What fails is said by it.
  ///   - say: gets a line for each thing that is done.
  /// - Throws: that there is nothing to watch, or that it cannot be watched.
  package func run(
    _ loaded: LoadedStack, services: [String], rebuild: (_ service: String) -> Void, say: (String) -> Void
  ) throws(StackErrors) {
    var rules = try rules(of: loaded, services)
    var watch = try rethrowing(loaded.name) { () throws(KernelError) in try Self.watch(rules) }
    for rule in rules {
      say("\(rule.service): watching \(rule.rule.path.value) (\(rule.rule.action.rawValue))")
      if rule.rule.syncsFirst { apply(rule, [rule.rule.path.value], in: loaded.name, say) }
    }
    while let paths = try next(watch, loaded.name) {
      let isWhole = watch.takeOverflow()
      if isWhole || paths.contains(where: HiddenPaths.isSource) {
        rules = try self.rules(of: loaded, services)
        watch = try rethrowing(loaded.name) { () throws(KernelError) in try Self.watch(rules) }
      }
      var rebuilt: [String] = []
      for rule in rules {
        let meant = isWhole ? [rule.rule.path.value] : paths.filter { concerns(rule, $0) }.sorted()
        guard !meant.isEmpty else { continue }
        if rule.rule.action == .rebuild {
          // Several rules of a service may mean one change.
          guard !rebuilt.contains(rule.service) else { continue }
          rebuilt.append(rule.service)
          say("\(rule.service): \(Self.shown(meant, rule)) changed, so its image is built again")
          rebuild(rule.service)
        } else {
          apply(rule, meant, in: loaded.name, say)
        }
      }
    }
  }

  private static func watch(_ rules: [Rule]) throws(KernelError) -> TreeWatch {
    let watch = try TreeWatch { folder in
      let meant = rules.filter { relative(folder, to: $0.rule.path.value) != nil }
      return !meant.isEmpty && meant.allSatisfy { $0.leavesOut(folder) }
    }
    for path in Set(rules.map(\.rule.path.value)) { try watch.add(path) }
    return watch
  }

  private static func shown(_ paths: [String], _ rule: Rule) -> String {
    paths.count == 1 ? shown(paths[0], rule) : "\(paths.count) files"
  }

  /// The paths of the next changes, once it is quiet; nil when the user wants to stop.
  private func next(_ watch: TreeWatch, _ stack: String) throws(StackErrors) -> Set<String>? {
    var paths: Set<String> = []
    while true {
      var watched = [
        pollfd(fd: watch.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
        pollfd(fd: interruption.wake?.rawValue ?? -1, events: Int16(POLLIN), revents: 0),
      ]
      let count = poll(&watched, 2, paths.isEmpty && !watch.hasOverflowed ? -1 : Self.quiet)
      guard !interruption.isInterrupted() else { return nil }
      if count == 0 { return paths }
      paths.formUnion(try rethrowing(stack) { () throws(KernelError) in try watch.changes() })
    }
  }

  /// The rest of a path below another; empty for the path itself, nil for one of elsewhere.
  static func relative(_ path: String, to base: String) -> String? {
    if path == base { return "" }
    let prefix = base.hasSuffix("/") ? base : "\(base)/"
    return path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : nil
  }

  private func concerns(_ rule: Rule, _ path: String) -> Bool {
    guard let rest = Self.relative(path, to: rule.rule.path.value) else { return false }
    guard !rest.isEmpty else { return true }
    if rest == ".git" || rest.hasPrefix(".git/") || rule.ignored.contains(rest) { return false }
    if rule.hidden?.contains(path) == true { return false }
    return rule.included.isEmpty || rule.included.contains(rest)
  }

  private func apply(_ rule: Rule, _ paths: [String], in stack: String, _ say: (String) -> Void) {
    do {
      let places = try index.places(of: rule.service, in: stack)
      if let target = rule.rule.target {
        for place in places { try sync(paths, rule, to: target, place) }
        say("\(rule.service): \(Self.shown(paths, rule)) -> \(target)")
      }
      switch rule.rule.action {
      // A rule that rebuilds takes up no single file.
      case .sync, .rebuild: break
      case .syncAndExecute: for place in places { try execute(rule, place, say) }
      case .restart, .syncAndRestart:
        _ = try ActCommand(context).run(
          .restart, on: places.map(\.service), of: stack, withFollowers: false, report: { _ in })
        say("\(rule.service): restarted")
      }
    } catch {
      say("\(rule.service): \(error)")
    }
  }

  private static func shown(_ path: String, _ rule: Rule) -> String {
    let rest = relative(path, to: rule.rule.path.value) ?? path
    return rest.isEmpty ? path : rest
  }

  private func execute(_ rule: Rule, _ place: StackIndex.Place, _ say: (String) -> Void) throws(StackErrors) {
    guard let hook = rule.rule.hook else { return }
    var options = ExecCommand.Options()
    (options.wantsTerminal, options.workingDirectory) = (false, hook.workingDirectory?.value)
    options.user = hook.user?.value.description
    options.environment = hook.environment.map { "\($0.name.value)=\($0.value)" }
    let code = try ExecCommand(context).run(hook.command.value, in: place, options, isTerminal: false, complain: say)
    if code != 0 { say("\(rule.service): \(hook.command.value.joined(separator: " ")) ended with \(code)") }
  }

  /// Copies files to their places in a service. What is gone here goes there.
  private func sync(
    _ paths: [String], _ rule: Rule, to target: String, _ place: StackIndex.Place
  ) throws(StackErrors) {
    let subject = "\(place.stack)/\(place.service)"
    try rethrowing(subject) { () throws(KernelError) in
      let record = try index.record(of: place.service, in: place.stack)
      guard let process = record.process.flatMap({ ServiceProcess($0) }) else {
        throw KernelError("copy to", subject, errno: .noSuchProcess, detail: "it does not run")
      }
      let root = try Container.root(of: process.process.pidfd)
      var status = stat()
      try check("look at", subject) { fstat(root.rawValue, &status) }
      for path in paths {
        let rest = Self.relative(path, to: rule.rule.path.value) ?? ""
        let inside = rest.isEmpty ? target : "\(target)/\(rest)"
        guard let source = try Self.source(path) else {
          try TreeRemoval.remove(inside, in: root, of: place.service)
          continue
        }
        try fstatRoot(root, &status)
        var copy = TreeCopy(
          owner: (status.st_uid, status.st_gid),
          isWanted: { copied in
            guard let rest = Self.relative(copied, to: rule.rule.path.value), !rest.isEmpty else { return true }
            return !rule.ignored.contains(rest) && rest != ".git" && rule.hidden?.contains(copied) != true
          })
        try TreeRemoval.makeFolders(above: inside, in: root, owner: (status.st_uid, status.st_gid))
        let destination = try TreeCopy.Place(inside, in: root, of: place.service)
        try copy.copyAsOwner(source.place, to: destination)
      }
    }
  }

  private final class Source {
    let place: TreeCopy.Place

    init(_ place: consuming TreeCopy.Place) { self.place = place }
  }

  /// A service may write to what is watched, too, and put a link in a folder's place. So links are followed once, before
  /// anything is watched, and not any more.
  ///
  /// - Returns: nil for what is not there, or not there any more.
  private static func source(_ path: String) throws(KernelError) -> Source? {
    do throws(KernelError) {
      let source = Source(try TreeCopy.Place(withoutLinks: path))
      return source.place.exists ? source : nil
    } catch {
      guard [.noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels].contains(error.errno) else {
        throw error
      }
      return nil
    }
  }

  private func fstatRoot(_ root: borrowing Descriptor, _ status: inout stat) throws(KernelError) {
    try check("look at", "the service's root") { fstat(root.rawValue, &status) }
  }
}
