import Foundation

/// Archives for tests, entry by entry and byte by byte: also such as no tar(1) would write.
struct TarBuilder {
  private(set) var bytes: [UInt8] = []

  struct Entry {
    var name: [UInt8]
    var kind: Character = "0"
    var data: [UInt8] = []
    var mode = 0o644
    var link: [UInt8] = []
    var owner = (user: 0, group: 0)
    var time = 1_700_000_000
    var device = (major: 0, minor: 0)
    /// PAX records.
    var records: [(String, [UInt8])] = []

    init(_ name: String, _ kind: Character = "0") { (self.name, self.kind) = (Array(name.utf8), kind) }
  }

  mutating func add(_ entry: Entry) {
    if !entry.records.isEmpty {
      var header = Entry("PaxHeaders/x", "x")
      header.data = entry.records.flatMap { Self.record($0.0, $0.1) }
      add(header)
    }
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ bytes: [UInt8], at place: Int, length: Int) {
      for (index, byte) in bytes.prefix(length).enumerated() { header[place + index] = byte }
    }
    func put(_ number: Int, at place: Int, length: Int) {
      let digits = String(number, radix: 8)
      put(
        Array((String(repeating: "0", count: max(length - 1 - digits.count, 0)) + digits).utf8), at: place,
        length: length - 1)
    }
    put(entry.name, at: 0, length: 100)
    put(entry.mode, at: 100, length: 8)
    put(entry.owner.user, at: 108, length: 8)
    put(entry.owner.group, at: 116, length: 8)
    put(entry.data.count, at: 124, length: 12)
    put(entry.time, at: 136, length: 12)
    put(Array("        ".utf8), at: 148, length: 8)
    header[156] = entry.kind.asciiValue ?? 0
    put(entry.link, at: 157, length: 100)
    put(Array("ustar\u{0}00".utf8), at: 257, length: 8)
    put(entry.device.major, at: 329, length: 8)
    put(entry.device.minor, at: 337, length: 8)
    put(header.reduce(0) { $0 + Int($1) }, at: 148, length: 7)
    bytes += header + entry.data + [UInt8](repeating: 0, count: (512 - entry.data.count % 512) % 512)
  }

  /// A record says how long it is, with that number.
  private static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
    let rest = Array(" \(key)=".utf8) + value + [0x0A]
    var length = rest.count + 1
    while "\(length)".utf8.count + rest.count != length { length = "\(length)".utf8.count + rest.count }
    return Array("\(length)".utf8) + rest
  }

  mutating func folder(_ name: String, mode: Int = 0o755, owner: Int = 0) {
    var entry = Entry(name, "5")
    (entry.mode, entry.owner) = (mode, (owner, owner))
    add(entry)
  }

  mutating func file(_ name: String, _ text: String = "", mode: Int = 0o644, owner: Int = 0) {
    var entry = Entry(name)
    (entry.data, entry.mode, entry.owner) = (Array(text.utf8), mode, (owner, owner))
    add(entry)
  }

  mutating func link(_ name: String, to target: String) {
    var entry = Entry(name, "2")
    entry.link = Array(target.utf8)
    add(entry)
  }

  mutating func hardLink(_ name: String, to target: String) {
    var entry = Entry(name, "1")
    entry.link = Array(target.utf8)
    add(entry)
  }

  /// An archive whose headers have the right sums again, wherever a block looks like a header.
  static func withSums(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for start in stride(from: 0, to: bytes.count - 511, by: 512) where bytes[start + 257] == UInt8(ascii: "u") {
      for place in 148..<156 { bytes[start + place] = UInt8(ascii: " ") }
      let digits = String(bytes[start..<start + 512].reduce(0) { $0 + Int($1) }, radix: 8)
      let text = String(repeating: "0", count: max(6 - digits.count, 0)) + digits
      for (place, byte) in text.utf8.prefix(7).enumerated() { bytes[start + 148 + place] = byte }
      bytes[start + 154] = 0
    }
    return bytes
  }

  var archive: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }
}
