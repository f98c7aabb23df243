import Isolation

/// A property that is written down only where it is not what is usual.
///
/// Of a service some forty things can be said and five are. What each of the others costs to write and to read, for every
/// service and in every command, is more than all that is done with it.
@propertyWrapper
package struct Sparse<Value: Usual>: Hashable {
  package var wrappedValue: Value

  package init(wrappedValue: Value) {
    self.wrappedValue = wrappedValue
  }
}

/// Something that is usually one thing: empty, off, or what a person gets who says nothing.
package protocol Usual: Hashable, Codable {
  /// What is usual.
  init()
}

extension ResourceLimits: Usual {}
extension Bool: Usual {}
extension Array: Usual where Element: Hashable & Codable {}
extension Dictionary: Usual where Key: Hashable & Codable, Value: Hashable & Codable {}

extension Sparse: Sendable where Value: Sendable {}

extension Sparse: Codable {
  package init(from decoder: any Decoder) throws {
    wrappedValue = try Value(from: decoder)
  }

  package func encode(to encoder: any Encoder) throws {
    try wrappedValue.encode(to: encoder)
  }
}

// What the compiler writes for a Codable type calls these, as they say more of the value than the general ones.
extension KeyedEncodingContainer {
  package mutating func encode<Value>(_ property: Sparse<Value>, forKey key: Key) throws {
    if property.wrappedValue != Value() { try encode(property.wrappedValue, forKey: key) }
  }
}

extension KeyedDecodingContainer {
  package func decode<Value>(_: Sparse<Value>.Type, forKey key: Key) throws -> Sparse<Value> {
    Sparse(wrappedValue: try decodeIfPresent(Value.self, forKey: key) ?? Value())
  }
}
