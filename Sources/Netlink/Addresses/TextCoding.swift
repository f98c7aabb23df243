// Addresses, prefixes and similar values are strings in JSON, in the notation that people write.

extension Decoder {
  package func decodeText<Value: LosslessStringConvertible>() throws -> Value {
    let container = try singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = Value(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(Value.self) cannot be \"\(text)\"")
    }
    return value
  }
}

extension Encoder {
  package func encodeText(_ value: some LosslessStringConvertible) throws {
    var container = singleValueContainer()
    try container.encode(value.description)
  }
}
