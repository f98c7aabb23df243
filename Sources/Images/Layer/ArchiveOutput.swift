import Glibc
import Kernel
import SystemPackage

/// A tar archive that is being written: ustar, and PAX records for what that does not hold (POSIX.1-2001, pax).
package final class ArchiveOutput {
  package typealias Taker = (UnsafeRawBufferPointer) throws(KernelError) -> Void

  struct Header {
    var name: EntryName
    var kind: Character
    var mode: mode_t
    var user: UInt32 = 0
    var group: UInt32 = 0
    var size: Int64 = 0
    var modified = timespec()
    var target: [UInt8] = []
    var device: (major: UInt32, minor: UInt32) = (0, 0)
    var attributes: [(name: String, value: [UInt8])] = []

    init(name: EntryName, kind: Character, mode: mode_t) { (self.name, self.kind, self.mode) = (name, kind, mode) }
  }

  private let take: Taker
  /// Bytes so far.
  private(set) var size: Int64 = 0
  private var chunk = [UInt8](repeating: 0, count: 1 << 18)

  init(_ take: @escaping Taker) { self.take = take }

  func add(_ header: Header) throws(KernelError) {
    let name = Array(header.name.parts.joined(separator: [0x2F])) + (header.kind == "5" ? [0x2F] : [])
    let records = Self.records(header, name)
    if !records.isEmpty {
      try write(Self.block(Array("PaxHeaders/x".utf8), kind: "x", size: Int64(records.count)))
      try write(records)
      try pad(Int64(records.count))
    }
    try write(Self.block(name, header))
  }

  func copy(_ source: borrowing Descriptor, _ size: Int64, _ name: EntryName) throws(KernelError) {
    var rest = size
    while rest > 0 {
      let wanted = Int(min(rest, Int64(chunk.count)))
      let count = chunk.withUnsafeMutableBytes { read(source.rawValue, $0.baseAddress, wanted) }
      if count < 0, Errno.last == .interrupted { continue }
      guard count >= 0 else { throw KernelError("read", name.text, errno: .last) }
      // Cut off meanwhile: the header has said how long it is.
      if count == 0 {
        for place in 0..<wanted { chunk[place] = 0 }
      }
      let given = count == 0 ? wanted : count
      try write(given, of: chunk)
      rest -= Int64(given)
    }
    try pad(size)
  }

  func end() throws(KernelError) { try write([UInt8](repeating: 0, count: 1024)) }

  private func pad(_ size: Int64) throws(KernelError) {
    let rest = Int(size % 512)
    if rest > 0 { try write([UInt8](repeating: 0, count: 512 - rest)) }
  }

  private func write(_ bytes: [UInt8]) throws(KernelError) { try write(bytes.count, of: bytes) }

  private func write(_ count: Int, of bytes: [UInt8]) throws(KernelError) {
    do {
      try bytes.withUnsafeBytes { try take(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    } catch {
      throw error as? KernelError ?? KernelError("write", "the layer", errno: .ioError)
    }
    size += Int64(count)
  }

  private static let largestOctalID: UInt32 = 0o7777777
  private static let largestOctalSize: Int64 = 0o77777777777

  private static func records(_ header: Header, _ name: [UInt8]) -> [UInt8] {
    var records: [UInt8] = []
    func add(_ key: String, _ value: [UInt8]) {
      // A record begins with its own length, that number included.
      let rest = Array(" \(key)=".utf8) + value + [0x0A]
      var length = rest.count + 1
      while "\(length)".utf8.count + rest.count != length { length = "\(length)".utf8.count + rest.count }
      records += Array("\(length)".utf8) + rest
    }
    if name.count > 100 { add("path", name) }
    if header.target.count > 100 { add("linkpath", header.target) }
    if header.user > largestOctalID { add("uid", Array("\(header.user)".utf8)) }
    if header.group > largestOctalID { add("gid", Array("\(header.group)".utf8)) }
    if header.size > largestOctalSize { add("size", Array("\(header.size)".utf8)) }
    let (seconds, nanoseconds) = (header.modified.tv_sec, header.modified.tv_nsec)
    if seconds < 0 || Int64(seconds) > largestOctalSize || nanoseconds != 0 {
      add("mtime", Array(time(seconds, nanoseconds).utf8))
    }
    for (name, value) in header.attributes { add("SCHILY.xattr.\(name)", value) }
    return records
  }

  /// -1 second and 250,000,000 nanoseconds are -0.75.
  private static func time(_ seconds: Int, _ nanoseconds: Int) -> String {
    let (whole, part) =
      seconds < 0 && nanoseconds > 0 ? (seconds + 1, 1_000_000_000 - nanoseconds) : (seconds, nanoseconds)
    let digits = "\(part)"
    let sign = whole == 0 && seconds < 0 ? "-" : ""
    return "\(sign)\(whole).\(String(repeating: "0", count: 9 - digits.count))\(digits)"
  }

  private static func block(_ name: [UInt8], kind: Character, size: Int64) -> [UInt8] {
    var header = Header(name: EntryName(parts: []), kind: kind, mode: 0o644)
    header.size = size
    return block(name, header)
  }

  private static func block(_ name: [UInt8], _ header: Header) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ bytes: some Collection<UInt8>, at place: Int) {
      for (index, byte) in bytes.enumerated() { block[place + index] = byte }
    }
    func put(_ number: Int64, _ digits: Int, at place: Int) {
      let text = String(max(number, 0), radix: 8)
      put((String(repeating: "0", count: max(digits - text.count, 0)) + text).utf8.suffix(digits), at: place)
    }
    put(name.prefix(100), at: 0)
    put(Int64(header.mode), 7, at: 100)
    put(header.user > largestOctalID ? 0 : Int64(header.user), 7, at: 108)
    put(header.group > largestOctalID ? 0 : Int64(header.group), 7, at: 116)
    put(header.size > largestOctalSize ? 0 : header.size, 11, at: 124)
    put(Int64(header.modified.tv_sec) > largestOctalSize ? 0 : Int64(header.modified.tv_sec), 11, at: 136)
    put("        ".utf8, at: 148)
    put([header.kind.asciiValue ?? 0], at: 156)
    put(header.target.prefix(100), at: 157)
    put("ustar\u{0}00".utf8, at: 257)
    put(Int64(header.device.major), 7, at: 329)
    put(Int64(header.device.minor), 7, at: 337)
    put(block.reduce(0) { $0 + Int64($1) }, 6, at: 148)
    block[154] = 0
    return block
  }
}
