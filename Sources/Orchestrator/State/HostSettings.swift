import Kernel
import SystemPackage

/// Settings of the host that a stack has to change: each is written down before it is changed, and put back by the last
/// stack that needs it.
struct HostSettings {
  /// What stands in the state folder of the host.
  struct Ledger: Codable {
    /// The values from before, by the file under /proc/sys.
    var before: [String: String] = [:]
    /// Which stacks need the change.
    var stacks: Set<String> = []
  }

  /// The sysctl without which nothing passes from one interface to another (ip-sysctl.rst).
  static let forwarding = "/proc/sys/net/ipv4/ip_forward"

  let folders: StateFolders

  private var file: StateFile<Ledger> { StateFile(path: "\(folders.host)/settings.json") }
  private var lock: String { "\(folders.host)/settings.lock" }

  /// Turns forwarding on for a stack.
  func enableForwarding(for stack: String) throws(KernelError) {
    let held = try StackLock(lock)
    var ledger = try file.read() ?? Ledger()
    let value = try read(Self.forwarding)
    if ledger.before[Self.forwarding] == nil { ledger.before[Self.forwarding] = value }
    if ledger.stacks.insert(stack).inserted { try file.write(ledger, isDurable: true) }
    if value != "1" { try write("1", Self.forwarding) }
    _ = consume held
  }

  /// Puts back what was, if no other stack needs the change.
  func release(_ stack: String) throws(KernelError) {
    guard Files.exists(file.path) else { return }
    let held = try StackLock(lock)
    guard var ledger = try file.read() else { return held.remove() }
    ledger.stacks.remove(stack)
    // A stack whose folder is gone was taken down by other means: it needs nothing any more.
    ledger.stacks = ledger.stacks.filter { Files.exists(folders.stack($0).path) }
    guard ledger.stacks.isEmpty else { return try file.write(ledger) }
    for (path, value) in ledger.before where try read(path) != value { try write(value, path) }
    try Files.remove(file.path)
    held.remove()
  }

  private func read(_ path: String) throws(KernelError) -> String {
    let bytes = try Files.read(path, limit: 4096) ?? []
    return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }

  private func write(_ value: String, _ path: String) throws(KernelError) {
    do {
      let descriptor = Descriptor(adopting: try FileDescriptor.open(path, .writeOnly, options: [.closeOnExec]))
      try descriptor.fileDescriptor.writeAll(value.utf8)
    } catch {
      throw KernelError("set", path, errno: error as? Errno ?? .ioError)
    }
  }
}
