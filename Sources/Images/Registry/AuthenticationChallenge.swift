/// A registry's demand in `WWW-Authenticate` (RFC 9110, section 11.6.1; distribution specification, token authentication).
struct AuthenticationChallenge: Hashable, Sendable {
  /// In lower case: `bearer`, `basic`.
  var scheme: String
  /// Names in lower case.
  var parameters: [String: String]

  /// All that headers ask for, in their order: one header may hold several.
  static func all(in headers: [String]) -> [AuthenticationChallenge] {
    headers.flatMap { header in
      var scanner = Scanner(header)
      return scanner.challenges()
    }
  }

  /// Bearer before Basic; nil where it asks for neither.
  static func preferred(_ challenges: [AuthenticationChallenge]) -> AuthenticationChallenge? {
    challenges.first { $0.scheme == "bearer" && $0.parameters["realm"] != nil }
      ?? challenges.first { $0.scheme == "basic" }
  }

  private struct Scanner {
    private let bytes: [UInt8]
    private var place = 0

    init(_ text: String) { bytes = Array(text.utf8.prefix(16384)) }

    private var current: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skip(_ isSkipped: (UInt8) -> Bool) {
      while let byte = current, isSkipped(byte) { place += 1 }
    }

    private mutating func token() -> String {
      let start = place
      skip { !" \t,=\"".utf8.contains($0) }
      return String(decoding: bytes[start..<place], as: UTF8.self)
    }

    private mutating func quoted() -> String {
      place += 1
      var text: [UInt8] = []
      while let byte = current, byte != UInt8(ascii: "\"") {
        if byte == UInt8(ascii: "\\"), place + 1 < bytes.count { place += 1 }
        text.append(bytes[place])
        place += 1
      }
      place += 1
      return String(decoding: text, as: UTF8.self)
    }

    mutating func challenges() -> [AuthenticationChallenge] {
      var challenges: [AuthenticationChallenge] = []
      while true {
        skip { " \t,".utf8.contains($0) }
        guard current != nil else { return challenges }
        let start = place
        let word = token()
        skip { $0 == 0x20 || $0 == 0x09 }
        if current == UInt8(ascii: "="), !challenges.isEmpty {
          place += 1
          skip { $0 == 0x20 || $0 == 0x09 }
          let value = current == UInt8(ascii: "\"") ? quoted() : token()
          challenges[challenges.count - 1].parameters[word.lowercased()] = value
        } else if word.isEmpty {
          // Nothing that can be read: one byte further, so that it ends.
          place = max(place, start) + 1
        } else {
          challenges.append(AuthenticationChallenge(scheme: word.lowercased(), parameters: [:]))
        }
      }
    }
  }
}
