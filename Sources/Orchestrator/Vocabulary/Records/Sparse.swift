import Isolation

/// A property that is written down only where it is not what is usual.
///
/// A service has about 40 properties, of which a file sets about five. Leaving out the others saves most of the time
/// that writing and reading records takes.
@propertyWrapper
package struct Sparse<Value: Usual>: Hashable {
  package var wrappedValue: Value

  package init(wrappedValue: Value) {
    self.wrappedValue = wrappedValue
  }
}

/// A type with a usual value: empty, off, or the default of the file.
package protocol Usual: Hashable, Codable {
  /// The usual value.
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

// The compiler's code for a Codable type calls these overloads, as they are more specific than the general ones.
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
