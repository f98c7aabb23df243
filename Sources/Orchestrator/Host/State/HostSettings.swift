import Intent
import Kernel
import Runtime

/// Settings of the host that a stack has to change: each is written down before it is changed, and put back by the last
/// stack that needs it.
package struct HostSettings {
  /// The record in the host's state folder.
  package struct Ledger: Codable {
    /// The values from before, by the file under /proc/sys.
    var before: [String: String] = [:]
    /// The change to /run/netns that pinning needed.
    var namespaceFolder: NamespaceFolder.Change?
    /// Controllers that the top of the cgroups did not hand down before.
    var controllers: Set<String>?
    /// True if the processes in the top of the cgroups were moved to a group of their own.
    var hasClearedTop: Bool?
    /// The stacks that need the changes.
    var stacks: Set<String> = []
    /// The boot in which the changes were made: a host that has started anew has none of them.
    var boot: String?
  }

  /// The sysctl without which nothing passes from one interface to another (ip-sysctl.rst).
  package static let forwarding = "/proc/sys/net/ipv4/ip_forward"
  private static let links4 = "/proc/sys/net/ipv4/conf"

  package let folders: StateFolders

  package init(folders: StateFolders) {
    self.folders = folders
  }

  private var file: StateFile<Ledger> { StateFile(path: "\(folders.host)/settings.json") }
  /// A second copy, which survives the removal of /run/stack. The former value of a setting is the one thing that the
  /// host itself does not show.
  private var copy: StateFile<Ledger> { StateFile(path: "\(folders.lib)/.host/settings.json") }
  private var lock: String { "\(folders.host)/settings.lock" }

  /// One setting with the value that it is to have.
  struct Setting {
    var path: String
    /// nil: it changes by itself when another one does, and only has to be put back.
    var wanted: String?
  }

  /// Makes the host ready for a stack: namespaces can be pinned and, if the stack wants it, packets are forwarded.
  ///
  /// - Parameters:
  ///   - neighbours: how many entries of one family the stack's services need in the kernel's neighbour table.
  ///   - groups: the host's cgroups, whose controllers are handed down as far as the host allows.
  package func prepare(
    for stack: String, forwarding: Forwarding, neighbours: Int = 0, groups: ControlGroups = .none
  ) throws(KernelError) {
    let held = try StackLock(lock)
    let boot = try Boot.current()
    var ledger = try ledger(of: boot) ?? Ledger(boot: boot)
    ledger.stacks.insert(stack)
    var settings = forwarding.contains(.ipv4) ? try settingsForIPv4() : []
    if forwarding.contains(.ipv6) { settings += try settingsForIPv6() }
    settings += try neighbourSettings(for: neighbours)
    for setting in settings where ledger.before[setting.path] == nil {
      ledger.before[setting.path] = try read(setting.path)
    }
    let change = try NamespaceFolder.needed(folders.namespaces)
    if !change.isEmpty { ledger.namespaceFolder = (ledger.namespaceFolder ?? []).union(change) }
    let missing = try groups.missingAtTop()
    if !missing.isEmpty { ledger.controllers = (ledger.controllers ?? []).union(missing) }
    let clearsTop = missing.isEmpty ? false : try groups.isTopInUse()
    if clearsTop { ledger.hasClearedTop = true }
    try write(ledger)
    // A failure is reported by the limits that need the controller.
    let isClear = clearsTop ? (try? groups.clearTop()) ?? false : true
    for controller in isClear ? missing : [] { try? groups.handDown(controller) }
    for setting in settings {
      if let wanted = setting.wanted, try read(setting.path) != wanted { try Files.set(setting.path, to: wanted) }
    }
    try NamespaceFolder.prepare(folders.namespaces)
    held.remove()
  }

  /// Puts back what was, if no other stack needs the change.
  package func release(_ stack: String) throws(KernelError) {
    guard ledgerFiles.contains(where: Files.exists) else { return }
    let held = try StackLock(lock)
    guard var ledger = try ledger(of: Boot.current()) else {
      try removeLedger()
      return held.remove()
    }
    ledger.stacks.remove(stack)
    // A stack whose folder is gone was taken down by other means: it needs nothing any more.
    ledger.stacks = ledger.stacks.filter { Files.exists(folders.stack($0).path) }
    guard ledger.stacks.isEmpty else {
      try write(ledger)
      return held.remove()
    }
    if let change = ledger.namespaceFolder { try NamespaceFolder.restore(folders.namespaces, change) }
    // Not while somebody else has come to use them.
    if let groups = try? ControlGroups.observe() {
      for controller in ledger.controllers ?? [] { try? groups.takeBack(controller, below: "stack") }
      if ledger.hasClearedTop == true { try? groups.refillTop() }
    }
    for (path, value) in Self.inOrder(ledger.before) {
      // A link that is gone has taken its settings along.
      guard Files.exists(path), try read(path) != value else { continue }
      try Files.set(path, to: value)
    }
    try removeLedger()
    held.remove()
  }

  /// The settings that change before IPv4 packets are forwarded, and those that the kernel changes along with them.
  ///
  /// The kernel writes each link's setting and accept_redirects anew when this one changes (inet_forward_change in
  /// net/ipv4/devinet.c). A hardened host would accept redirects once it forwards no more.
  private func settingsForIPv4() throws(KernelError) -> [Setting] {
    let wanted = Setting(path: Self.forwarding, wanted: "1")
    guard try read(Self.forwarding) != "1" else { return [wanted] }
    var settings = [wanted]
    let redirects = "\(Self.links4)/all/accept_redirects"
    if try read(redirects) == "0" { settings.append(Setting(path: redirects, wanted: nil)) }
    for name in Files.list(Self.links4) where name != "all" {
      let path = "\(Self.links4)/\(name)/forwarding"
      if try read(path) == "1" { settings.append(Setting(path: path, wanted: nil)) }
    }
    return settings
  }

  /// Limits of the neighbour table that are too low. They are there in the first network namespace alone.
  private func neighbourSettings(for count: Int) throws(KernelError) -> [Setting] {
    var settings: [Setting] = []
    for (name, value) in NeighbourLimits.settings(for: count) {
      let path = "/proc/sys/\(name)"
      guard Files.exists(path), let current = Int(try read(path)), current < value else { continue }
      settings.append(Setting(path: path, wanted: "\(value)"))
    }
    return settings
  }

  /// The stacks that the host's settings were changed for.
  func users() throws(KernelError) -> Set<String> {
    try ledger(of: Boot.current())?.stacks ?? []
  }

  /// The changes since the host was started; nil when there are none, or both copies are lost.
  private func ledger(of boot: String) throws(KernelError) -> Ledger? {
    for place in [file, copy] {
      if let ledger = try place.read(), ledger.boot == boot { return ledger }
    }
    return nil
  }

  private func write(_ ledger: Ledger) throws(KernelError) {
    // Not flushed to disk: after a power cut it is of another boot, and says nothing.
    try file.write(ledger)
    // A full disk is no reason not to take a stack down.
    try? Files.makeFolder("\(folders.lib)/.host", above: 0o700)
    try? copy.write(ledger)
  }

  /// The files of the ledger, with those that a killed supervisor may have left half written.
  private var ledgerFiles: [String] { [file.path, copy.path].flatMap { [$0, Files.temporary($0)] } }

  private func removeLedger() throws(KernelError) {
    for path in ledgerFiles { try Files.remove(path) }
    Files.removeIfEmpty("\(folders.lib)/.host")
    Files.removeIfEmpty(folders.lib)
  }

  func read(_ path: String) throws(KernelError) -> String {
    let bytes = try Files.read(path, limit: 4096) ?? []
    return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }
}
