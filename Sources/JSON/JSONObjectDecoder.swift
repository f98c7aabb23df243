/// The members of an object.
struct JSONObjectDecoder<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let value: JSONValueDecoder

  var codingPath: [any CodingKey] { value.codingPath }
  var allKeys: [Key] { value.tree.keys(of: value.node).compactMap { Key(stringValue: $0) } }

  func contains(_ key: Key) -> Bool { find(key) != nil }

  private func find(_ key: some CodingKey) -> JSONValueDecoder? {
    value.tree.member(key.stringValue, of: value.node).map { JSONValueDecoder(tree: value.tree, node: $0) }
  }

  private func member(_ key: some CodingKey) throws -> JSONValueDecoder {
    guard let member = find(key) else {
      throw DecodingError.keyNotFound(
        key, DecodingError.Context(codingPath: codingPath, debugDescription: "\(key.stringValue) is missing"))
    }
    return member
  }

  func decodeNil(forKey key: Key) throws -> Bool { try member(key).decodeNil() }

  func decode(_ type: String.Type, forKey key: Key) throws -> String { try member(key).decode(type) }

  func decode<Value: Decodable>(_: Value.Type, forKey key: Key) throws -> Value {
    try Value(from: try member(key))
  }

  /// One search in place of three: most properties of a record are absent.
  func decodeIfPresent<Value: Decodable>(_: Value.Type, forKey key: Key) throws -> Value? {
    guard let member = find(key), !member.decodeNil() else { return nil }
    return try Value(from: member)
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    try member(key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try member(key).unkeyedContainer()
  }

  func superDecoder() throws -> any Decoder { try member(JSONKey.superclass) }
  func superDecoder(forKey key: Key) throws -> any Decoder { try member(key) }
}
