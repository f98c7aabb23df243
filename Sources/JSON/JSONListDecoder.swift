/// The entries of a list, one after the other.
struct JSONListDecoder: UnkeyedDecodingContainer {
  private let value: JSONValueDecoder
  private var next: Int
  let count: Int?
  private(set) var currentIndex = 0

  init(value: JSONValueDecoder) {
    self.value = value
    next = value.node + 1
    count = value.tree.count(of: value.node)
  }

  var codingPath: [any CodingKey] { value.codingPath }
  var isAtEnd: Bool { next >= value.tree.end(of: value.node) }

  private func entry(_ type: Any.Type) throws -> JSONValueDecoder {
    guard !isAtEnd else {
      throw DecodingError.valueNotFound(
        type, DecodingError.Context(codingPath: codingPath, debugDescription: "the list ends after \(currentIndex)"))
    }
    return JSONValueDecoder(tree: value.tree, node: next)
  }

  /// Reads an entry. One that cannot be read is not passed over.
  private mutating func take<Result>(_ type: Any.Type, _ read: (JSONValueDecoder) throws -> Result) throws -> Result {
    let entry = try entry(type)
    let result = try read(entry)
    next = value.tree.end(of: entry.node)
    currentIndex += 1
    return result
  }

  mutating func decodeNil() throws -> Bool {
    guard try entry(Never.self).decodeNil() else { return false }
    return try take(Never.self) { _ in true }
  }

  mutating func decode(_ type: String.Type) throws -> String { try take(type) { try $0.decode(type) } }

  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try take(type) { try Value(from: $0) }
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> {
    try take(type) { try $0.container(keyedBy: type) }
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try take([Any].self) { try $0.unkeyedContainer() }
  }

  mutating func superDecoder() throws -> any Decoder { try take(Any.self) { $0 } }
}
