import Intent

/// The version of what a record's text means. Every record in the state folders carries it, as `version`.
///
/// A program reads all versions up to its own. It refuses newer ones by name, and changes nothing then.
package enum RecordVersion {
  /// - 1: records without a version, as of 0.1.0
  /// - 2: `version` itself
  package static let current = 2
}

/// A record that carries ``RecordVersion/current``.
package protocol VersionedRecord: Codable {}

extension DesiredStack: VersionedRecord {}
extension ServiceRecord: VersionedRecord {}
extension ProcessContext: VersionedRecord {}
extension HostSettings.Ledger: VersionedRecord {}

/// A record's text with its version: one object.
struct VersionedText<Value: Codable>: Codable {
  struct TooNew: Error {
    var version: Int
  }

  private enum Key: String, CodingKey { case version }

  var value: Value

  init(_ value: Value) { self.value = value }

  init(from decoder: any Decoder) throws {
    if Value.self is any VersionedRecord.Type {
      let version = try decoder.container(keyedBy: Key.self).decodeIfPresent(Int.self, forKey: .version) ?? 1
      guard version <= RecordVersion.current else { throw TooNew(version: version) }
    }
    value = try Value(from: decoder)
  }

  func encode(to encoder: any Encoder) throws {
    try value.encode(to: encoder)
    guard Value.self is any VersionedRecord.Type else { return }
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(RecordVersion.current, forKey: .version)
  }
}
