import Glibc
import Kernel

/// A process of a service, as `ps -f` would show it on the host.
package struct ProcessRow: Hashable, Sendable {
  package var uid: UInt32
  package var pid: Int32
  package var parent: Int32
  /// Of the time since it started, the part that it had a processor, in percent.
  package var usage: Int
  /// Seconds since 1970.
  package var startedAt: Int
  /// `pts/0`, or `?`.
  package var terminal: String
  /// Seconds of processor time.
  package var processorSeconds: Int
  package var command: String

  /// nil when it is gone, or is not to be seen.
  init?(pid: Int32, now: Int, bootedAt: Int) {
    let folder = "/proc/\(pid)"
    var status = stat()
    guard let bytes = Self.read("\(folder)/stat"), lstat(folder, &status) == 0,
      let open = bytes.firstIndex(of: UInt8(ascii: "(")), let close = bytes.lastIndex(of: UInt8(ascii: ")")),
      open < close
    else { return nil }
    // proc_pid_stat(5), from field 3 on.
    let fields = String(decoding: bytes[(close + 1)...], as: UTF8.self).split(separator: " ")
    guard fields.count > 19, let parent = Int32(fields[1]), let terminal = Int(fields[4]),
      let user = Int(fields[11]), let system = Int(fields[12]), let start = Int(fields[19])
    else { return nil }
    let ticks = max(sysconf(CInt(_SC_CLK_TCK)), 1)
    self.pid = pid
    self.parent = parent
    uid = status.st_uid
    startedAt = bootedAt + start / ticks
    processorSeconds = (user + system) / ticks
    usage = min(processorSeconds * 100 / max(now - startedAt, 1), 9999)
    self.terminal = Self.name(ofTerminal: terminal)
    let words = Self.read("\(folder)/cmdline") ?? []
    let name = String(decoding: bytes[(open + 1)..<close], as: UTF8.self)
    let text = String(decoding: words.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
    command = words.isEmpty ? "[\(name)]" : String(text.prefix { _ in true }.reversed().drop { $0 == " " }.reversed())
  }

  private static func read(_ path: String) -> [UInt8]? { try? Files.read(path, limit: 1 << 20) }

  /// Pseudo terminals have the majors 136 to 143 (devices.txt).
  private static func name(ofTerminal number: Int) -> String {
    let (major, minor) = ((number >> 8) & 0xfff, number & 0xff | (number >> 12) & 0xfff00)
    return (136...143).contains(major) ? "pts/\((major - 136) * 256 + minor)" : "?"
  }

  /// The host's start, in seconds since 1970 (proc_stat(5), btime).
  static func bootTime() -> Int {
    let text = String(decoding: read("/proc/stat") ?? [], as: UTF8.self)
    for line in text.split(separator: "\n") where line.hasPrefix("btime ") { return Int(line.dropFirst(6)) ?? 0 }
    return 0
  }
}
