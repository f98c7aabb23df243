import Kernel
import Runtime

/// Settings of the host that a stack has to change: each is written down before it is changed, and put back by the last
/// stack that needs it.
struct HostSettings {
  /// What stands in the state folder of the host.
  struct Ledger: Codable {
    /// The values from before, by the file under /proc/sys.
    var before: [String: String] = [:]
    /// What had to be done for namespaces to be pinned.
    var namespaceFolder: NamespaceFolder.Change?
    /// Which stacks need the changes.
    var stacks: Set<String> = []
    /// The boot in which the changes were made: a host that has started anew has none of them.
    var boot: String?
  }

  /// The sysctl without which nothing passes from one interface to another (ip-sysctl.rst).
  static let forwarding = "/proc/sys/net/ipv4/ip_forward"

  let folders: StateFolders

  private var file: StateFile<Ledger> { StateFile(path: "\(folders.host)/settings.json") }
  private var lock: String { "\(folders.host)/settings.lock" }

  /// Makes the host ready for a stack: namespaces can be pinned and, if the stack wants it, packets are forwarded.
  func prepare(for stack: String, forwarding: Bool) throws(KernelError) {
    let held = try StackLock(lock)
    let boot = try Boot.current()
    var ledger = try file.read() ?? Ledger()
    if ledger.boot != boot { ledger = Ledger(boot: boot) }
    ledger.stacks.insert(stack)
    let value = try read(Self.forwarding)
    if forwarding, ledger.before[Self.forwarding] == nil { ledger.before[Self.forwarding] = value }
    try file.write(ledger, isDurable: true)
    if forwarding, value != "1" { try Files.set(Self.forwarding, to: "1") }
    let change = try NamespaceFolder.prepare(folders.namespaces)
    if !change.isEmpty {
      ledger.namespaceFolder = (ledger.namespaceFolder ?? []).union(change)
      try file.write(ledger, isDurable: true)
    }
    _ = consume held
  }

  /// Puts back what was, if no other stack needs the change.
  func release(_ stack: String) throws(KernelError) {
    guard Files.exists(file.path) else { return }
    let held = try StackLock(lock)
    guard var ledger = try file.read(), ledger.boot == (try Boot.current()) else {
      // Cut short, or of another boot: what it says of the host is not so.
      try Files.remove(file.path)
      return held.remove()
    }
    ledger.stacks.remove(stack)
    // A stack whose folder is gone was taken down by other means: it needs nothing any more.
    ledger.stacks = ledger.stacks.filter { Files.exists(folders.stack($0).path) }
    guard ledger.stacks.isEmpty else { return try file.write(ledger) }
    if let change = ledger.namespaceFolder { try NamespaceFolder.restore(folders.namespaces, change) }
    for (path, value) in ledger.before where try read(path) != value { try Files.set(path, to: value) }
    try Files.remove(file.path)
    held.remove()
  }

  /// The stacks that the host's settings were changed for.
  func users() throws(KernelError) -> Set<String> {
    try file.read()?.stacks ?? []
  }

  private func read(_ path: String) throws(KernelError) -> String {
    let bytes = try Files.read(path, limit: 4096) ?? []
    return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }
}
