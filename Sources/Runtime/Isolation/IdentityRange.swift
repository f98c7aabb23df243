/// The ids of the host's that users 0 to 65535 of a user namespace are.
public struct IdentityRange: Hashable, Sendable {
  /// The id outside of the namespace's root.
  public let first: UInt32
  public static let count: UInt32 = 65536

  public init(first: UInt32) {
    self.first = first
  }

  /// The id outside of a user or group of the namespace; `nil` for one it does not have.
  public func outside(_ id: UInt32) -> UInt32? {
    id < Self.count ? first + id : nil
  }
}
