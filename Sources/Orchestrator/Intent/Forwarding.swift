/// The families whose packets the host forwards between its interfaces.
package struct Forwarding: OptionSet, Hashable, Sendable {
  package var rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let ipv4 = Forwarding(rawValue: 1)
  package static let ipv6 = Forwarding(rawValue: 2)
}
