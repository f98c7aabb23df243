@testable import DNS

/// Messages for tests, octet by octet.
enum DNSMessages {
  /// A question as a client sends it.
  static func question(
    _ name: String, type: UInt16 = RecordType.a, class: UInt16 = RecordClass.internet, id: UInt16 = 0x1234,
    flags: UInt16 = 0x0100, additional: [UInt8] = [], additionalCount: UInt16 = 0
  ) -> [UInt8] {
    words(id, flags, 1, 0, 0, additionalCount) + wire(name) + words(type, `class`) + additional
  }

  /// An OPT record (RFC 6891, 6.1.2).
  static func options(payload: UInt16 = 4096, version: UInt8 = 0, flags: UInt16 = 0, data: [UInt8] = []) -> [UInt8] {
    [0] + words(41, payload) + [0, version] + words(flags, UInt16(data.count)) + data
  }

  static func words(_ words: UInt16...) -> [UInt8] { words.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } }

  /// As written, in that case.
  static func wire(_ name: String) -> [UInt8] {
    name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + $0.utf8 } + [0]
  }
}

/// A DNS answer, parsed without the code under test.
struct ReadAnswer: Equatable {
  var id: UInt16
  var flags: UInt16
  var addresses: [String] = []
  var types: [UInt16] = []
  var hasOptions = false
  var extendedCode = 0

  var code: UInt16 { flags & 0xF }
  var isTruncated: Bool { flags & 0x0200 != 0 }
  var isAuthoritative: Bool { flags & 0x0400 != 0 }

  init?(_ message: [UInt8]) {
    func word(_ place: Int) -> Int { Int(message[place]) << 8 | Int(message[place + 1]) }
    guard message.count >= 12 else { return nil }
    (id, flags) = (UInt16(word(0)), UInt16(word(2)))
    var place = 12
    if word(4) == 1 {
      while message[place] != 0 { place += Int(message[place]) + 1 }
      place += 5
    }
    for _ in 0..<word(6) {
      guard message[place] == 0xC0, message[place + 1] == 12 else { return nil }
      let (type, size) = (word(place + 2), word(place + 10))
      types.append(UInt16(type))
      let data = message[(place + 12)..<(place + 12 + size)]
      if type == 1 { addresses.append(data.map(String.init).joined(separator: ".")) }
      place += 12 + size
    }
    for _ in 0..<word(10) {
      guard message[place] == 0, word(place + 1) == 41 else { return nil }
      hasOptions = true
      extendedCode = Int(message[place + 5])
      place += 11 + word(place + 9)
    }
    guard place == message.count else { return nil }
  }
}
