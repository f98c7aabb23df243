import Kernel
import Runtime

/// Settings of the host that a stack has to change: each is written down before it is changed, and put back by the last
/// stack that needs it.
struct HostSettings {
  /// What is written down. It is kept twice, under /run and under /var/lib: a host whose settings nobody remembers stays
  /// changed for good.
  struct Ledger: Codable {
    /// The boot that it is about; the settings of another are gone with it.
    var bootID: String
    /// The values from before, by the file under /proc/sys.
    var before: [String: String] = [:]
    /// What had to be done for namespaces to be pinned.
    var namespaceFolder: NamespaceFolder.Change?
    /// Which stacks need the changes.
    var stacks: Set<String> = []
  }

  /// The sysctl without which nothing passes from one interface to another (ip-sysctl.rst).
  static let forwarding = "/proc/sys/net/ipv4/ip_forward"

  let folders: StateFolders

  private var files: [StateFile<Ledger>] {
    [folders.host, "\(folders.lib)/.host"].map { StateFile(path: "\($0)/settings.json") }
  }
  private var lock: String { "\(folders.host)/settings.lock" }

  /// Makes the host ready for a stack: namespaces can be pinned and, if the stack wants it, packets are forwarded.
  func prepare(for stack: String, forwarding: Bool) throws(KernelError) {
    let held = try StackLock(lock)
    let bootID = try bootID()
    var ledger = try read() ?? Ledger(bootID: bootID)
    ledger.stacks.insert(stack)
    let value = try read(Self.forwarding)
    if forwarding, ledger.before[Self.forwarding] == nil { ledger.before[Self.forwarding] = value }
    let change = try NamespaceFolder.needed(folders.namespaces)
    if !change.isEmpty { ledger.namespaceFolder = (ledger.namespaceFolder ?? []).union(change) }
    try write(ledger)
    if forwarding, value != "1" { try Files.set(Self.forwarding, to: "1") }
    try NamespaceFolder.prepare(folders.namespaces)
    _ = consume held
  }

  /// Puts back what was, if no other stack needs the change.
  func release(_ stack: String) throws(KernelError) {
    guard files.contains(where: { Files.exists($0.path) }) else { return }
    let held = try StackLock(lock)
    guard var ledger = try read() else { return held.remove() }
    ledger.stacks.remove(stack)
    // A stack whose folder is gone was taken down by other means: it needs nothing any more.
    ledger.stacks = ledger.stacks.filter { Files.exists(folders.stack($0).path) }
    guard ledger.stacks.isEmpty else { return try write(ledger) }
    if let change = ledger.namespaceFolder { try NamespaceFolder.restore(folders.namespaces, change) }
    for (path, value) in ledger.before where try read(path) != value { try Files.set(path, to: value) }
    for file in files { try Files.remove(file.path) }
    Files.removeIfEmpty("\(folders.lib)/.host")
    held.remove()
  }

  private func read() throws(KernelError) -> Ledger? {
    let current = try bootID()
    for file in files {
      if let ledger = try file.read(), ledger.bootID == current { return ledger }
    }
    return nil
  }

  private func write(_ ledger: Ledger) throws(KernelError) {
    try Files.makeFolder("\(folders.lib)/.host")
    for file in files { try file.write(ledger, isDurable: true) }
  }

  private func bootID() throws(KernelError) -> String {
    try read("/proc/sys/kernel/random/boot_id")
  }

  private func read(_ path: String) throws(KernelError) -> String {
    let bytes = try Files.read(path, limit: 4096) ?? []
    return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }
}
