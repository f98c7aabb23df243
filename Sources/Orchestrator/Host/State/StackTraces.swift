import Intent
import Kernel
import Netfilter
import Netlink
import Rules
import Runtime
import Vocabulary

/// Everything on this host that carries a stack's name as its owner's, recorded or not.
package struct StackTraces: Hashable {
  package enum Trace: Hashable, Comparable {
    /// Its folder under /run/stack.
    case folder
    case supervisor(pid: Int32)
    case link(String)
    case table(String)
    case namespace(String)
    case controlGroup(String)
    /// A mount below its folder.
    case mount(String)
    /// It stands among those that the host's settings were changed for.
    case setting
    /// Logs under /var/lib/stack, which go with the stack, unlike its volumes.
    case logs

    /// True if it proves that the stack was here. A namespace does not: anybody may pin one as `web.db`.
    var isProof: Bool {
      if case .namespace = self { false } else { true }
    }
  }

  package var found: Set<Trace> = []

  package var hasProof: Bool { found.contains(where: \.isProof) }
  package var hasFolder: Bool { found.contains(.folder) }
}

extension StackTraces {
  /// Every stack's traces, by its name.
  package static func all(_ folders: StateFolders) throws(KernelError) -> [String: StackTraces] {
    var traces: [String: StackTraces] = [:]
    func note(_ stack: some StringProtocol, _ trace: Trace) {
      // A name that no stack can have is no stack's.
      guard NameRule.stack.problem(with: String(stack)) == nil else { return }
      traces[String(stack), default: StackTraces()].found.insert(trace)
    }

    for name in Files.list(folders.run) { note(name, .folder) }
    for name in Files.list(folders.lib) where Files.exists(folders.stack(name).logs) { note(name, .logs) }
    for name in try HostSettings(folders: folders).users() { note(name, .setting) }
    for name in Files.list(folders.namespaces) {
      if let dot = name.firstIndex(of: ".") { note(name[..<dot], .namespace(name)) }
    }
    for mount in try Mounts.below(folders.run) where mount.mountPoint != folders.run {
      note(mount.mountPoint.dropFirst(folders.run.utf8.count + 1).prefix { $0 != "/" }, .mount(mount.mountPoint))
    }
    for group in try ControlGroups.observe().folders(in: "stack") { note(group.name, .controlGroup(group.path)) }
    for supervisor in SupervisorProcess.all() { note(supervisor.stack, .supervisor(pid: supervisor.identity.pid)) }
    var route = try NetlinkSocket(.route)
    for link in try route.links() {
      if let owner = link.alias.flatMap(LinkName.owner(ofAlias:)) { note(owner, .link(link.name)) }
    }
    var netfilter = try NetlinkSocket(.netfilter)
    for table in try netfilter.tables() {
      if let owner = Firewall.owner(of: table.name, comment: table.comment) {
        note(owner, .table(table.name.description))
      }
    }
    return traces
  }
}

extension LinkName {
  /// The stack in an alias such as `stack:web/web1/front`; nil when it is no stack's.
  static func owner(ofAlias alias: String) -> String? {
    let prefix = "stack:"
    guard alias.hasPrefix(prefix), let slash = alias.firstIndex(of: "/") else { return nil }
    return String(alias[..<slash].dropFirst(prefix.count))
  }
}

extension Firewall {
  /// The stack that a table is of, by the comment that it was made with; nil when it is no stack's.
  package static func owner(of table: NftTableName, comment: String?) -> String? {
    let prefix = "stack:"
    guard let comment, comment.hasPrefix(prefix) else { return nil }
    let owner = String(comment.dropFirst(prefix.count))
    let isMain = table.family == .inet && table.name == StackTable.name(of: owner)
    return isMain || table.name.hasPrefix("\(StackTable.name(of: owner))/") ? owner : nil
  }
}
