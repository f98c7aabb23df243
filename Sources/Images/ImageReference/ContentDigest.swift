/// A name for contents: an algorithm and the hash of the bytes, as `sha256:…` (OCI image specification, descriptor.md).
///
/// A value of this type is safe as part of a path: its hash has the digits of its algorithm and nothing else.
package struct ContentDigest: Hashable, Sendable {
  package enum Algorithm: String, Sendable, CaseIterable {
    case sha256, sha512

    /// The digits of a hash.
    package var length: Int {
      switch self {
      case .sha256: 64
      case .sha512: 128
      }
    }
  }

  package let algorithm: Algorithm
  /// Hexadecimal digits in lower case.
  package let hex: String

  /// Nil where `text` is no digest of an algorithm that is known here.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let algorithm = Algorithm(rawValue: String(parts[0])) else { return nil }
    self.init(algorithm, hex: parts[1])
  }

  package init?(_ algorithm: Algorithm, hex: some StringProtocol) {
    guard Self.isHex(hex), hex.utf8.count == algorithm.length else { return nil }
    self.algorithm = algorithm
    self.hex = String(hex)
  }

  /// - Parameter bytes: a hash, as long as those of the algorithm.
  package init?(_ algorithm: Algorithm, bytes: some Collection<UInt8>) {
    let digits = Array("0123456789abcdef".utf8)
    let hex = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    self.init(algorithm, hex: String(decoding: hex, as: UTF8.self))
  }

  /// The first twelve digits, for people.
  package var short: String { String(hex.prefix(12)) }

  static func isHex(_ text: some StringProtocol) -> Bool {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }
}

extension ContentDigest: CustomStringConvertible {
  package var description: String { "\(algorithm.rawValue):\(hex)" }
}

extension ContentDigest: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let digest = ContentDigest(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text.prefix(150))\" is no digest")
    }
    self = digest
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
