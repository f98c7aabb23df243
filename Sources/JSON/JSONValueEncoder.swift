/// The place of one value in a text.
struct JSONValueEncoder: Encoder, SingleValueEncodingContainer {
  let text: JSONOutput
  /// The number of objects and lists around the value.
  let level: Int

  /// Not kept: a value that cannot be written names itself.
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    text.begin(isObject: true, at: level)
    return KeyedEncodingContainer(JSONObjectEncoder<Key>(text: text, level: level))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    text.begin(isObject: false, at: level)
    return JSONListEncoder(text: text, level: level)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { self }

  func encodeNil() { text.write(word: "null") }
  func encode(_ value: Bool) { text.write(word: value ? "true" : "false") }
  func encode(_ value: String) { text.write(text: value) }
  func encode(_ value: Double) throws { try text.write(number: value) }
  func encode(_ value: Float) throws { try text.write(number: value) }
  func encode(_ value: Int) { text.write(integer: value) }
  func encode(_ value: Int8) { text.write(integer: value) }
  func encode(_ value: Int16) { text.write(integer: value) }
  func encode(_ value: Int32) { text.write(integer: value) }
  func encode(_ value: Int64) { text.write(integer: value) }
  func encode(_ value: UInt) { text.write(integer: value) }
  func encode(_ value: UInt8) { text.write(integer: value) }
  func encode(_ value: UInt16) { text.write(integer: value) }
  func encode(_ value: UInt32) { text.write(integer: value) }
  func encode(_ value: UInt64) { text.write(integer: value) }
  func encode<Value: Encodable>(_ value: Value) throws { try text.write(value) }
}

/// The members of an object that stands open at a level.
struct JSONObjectEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let text: JSONOutput
  let level: Int

  var codingPath: [any CodingKey] { [] }

  private func member(_ key: some CodingKey) -> JSONValueEncoder {
    text.beginMember(key.stringValue, at: level)
    return JSONValueEncoder(text: text, level: level + 1)
  }

  // Each type but text goes the way of all values.
  func encodeNil(forKey key: Key) { member(key).encodeNil() }
  func encode(_ value: String, forKey key: Key) { member(key).encode(value) }
  func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws { try member(key).encode(value) }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    member(key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { member(key).unkeyedContainer() }

  func superEncoder() -> any Encoder { member(JSONKey.superclass) }
  func superEncoder(forKey key: Key) -> any Encoder { member(key) }
}

/// The entries of a list that stands open at a level.
struct JSONListEncoder: UnkeyedEncodingContainer {
  let text: JSONOutput
  let level: Int

  var codingPath: [any CodingKey] { [] }
  var count: Int { text.count(at: level) }

  private func entry() -> JSONValueEncoder {
    text.beginEntry(at: level)
    return JSONValueEncoder(text: text, level: level + 1)
  }

  // Each type but text goes the way of all values.
  func encodeNil() { entry().encodeNil() }
  func encode(_ value: String) { entry().encode(value) }
  func encode<Value: Encodable>(_ value: Value) throws { try entry().encode(value) }

  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
    entry().container(keyedBy: type)
  }

  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { entry().unkeyedContainer() }

  func superEncoder() -> any Encoder { entry() }
}
