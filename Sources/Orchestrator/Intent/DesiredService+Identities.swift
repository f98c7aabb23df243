import Isolation

extension DesiredService {
  /// The host's ids that are its own; nil for a service in the host's user namespace.
  package var identities: ClosedRange<UInt32>? {
    firstIdentity.map { $0...($0 + (IdentityRange.count - 1)) }
  }
}
