/// Reads values from JSON.
package enum JSONReader {
  /// - Throws: `DecodingError`, for a text that is no JSON as well.
  package static func decode<Value: Decodable>(_: Value.Type, from bytes: [UInt8]) throws -> Value {
    let tree: JSONTree
    do {
      tree = try JSONTree(bytes)
    } catch {
      throw DecodingError.dataCorrupted(
        DecodingError.Context(codingPath: [], debugDescription: "the text is not JSON: \(error)"))
    }
    return try Value(from: JSONValueDecoder(tree: tree, node: 0))
  }
}

/// One value of a text. It is its own container where the value is neither an object nor a list.
struct JSONValueDecoder: Decoder, SingleValueDecodingContainer {
  let tree: JSONTree
  let node: Int

  var codingPath: [any CodingKey] { tree.path(to: node) }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard tree.kind(of: node) == .object else { throw mismatch(type, "an object") }
    return KeyedDecodingContainer(JSONObjectDecoder<Key>(value: self))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard tree.kind(of: node) == .list else { throw mismatch([Any].self, "a list") }
    return JSONListDecoder(value: self)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { self }

  /// That there is no value of a type: null where it is not allowed, or a value of another kind.
  func mismatch(_ type: Any.Type, _ expected: String) -> DecodingError {
    let isNull = tree.kind(of: node) == .null
    let context = DecodingError.Context(
      codingPath: codingPath, debugDescription: isNull ? "null is not \(expected)" : "it is not \(expected)")
    return isNull ? .valueNotFound(type, context) : .typeMismatch(type, context)
  }

  // MARK: Single values

  func decodeNil() -> Bool { tree.kind(of: node) == .null }

  func decode(_ type: Bool.Type) throws -> Bool {
    switch tree.kind(of: node) {
    case .yes: true
    case .no: false
    default: throw mismatch(type, "true or false")
    }
  }

  func decode(_ type: String.Type) throws -> String {
    if let text = tree.text(of: node) { return text }
    switch tree.kind(of: node) {
    case .plainText, .escapedText:
      throw DecodingError.dataCorrupted(
        DecodingError.Context(codingPath: codingPath, debugDescription: "a string with a bad escape or encoding"))
    default: throw mismatch(type, "a string")
    }
  }

  func decode(_ type: Double.Type) throws -> Double {
    guard let value = tree.number(at: node) else { throw mismatch(type, "a number") }
    return value
  }

  func decode(_ type: Float.Type) throws -> Float { Float(try decode(Double.self)) }

  func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
    guard let value: Value = tree.integer(at: node) else {
      throw mismatch(type, "a whole number from \(Value.min) to \(Value.max)")
    }
    return value
  }

  func decode(_ type: Int.Type) throws -> Int { try integer(type) }
  func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
  func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
  func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
  func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
  func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }

  func decode<Value: Decodable>(_: Value.Type) throws -> Value { try Value(from: self) }
}
