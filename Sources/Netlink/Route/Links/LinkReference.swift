/// A link, by its index or its name.
public enum LinkReference: Hashable, Sendable {
  /// By its number in the namespace (ifindex). The kernel finds it fastest.
  case index(UInt32)
  /// By its name, at most 15 octets.
  case name(String)
}

extension LinkReference: CustomStringConvertible {
  public var description: String {
    switch self {
    case .index(let index): "link \(index)"
    case .name(let name): name
    }
  }
}

extension MessageWriter {
  /// `struct ifinfomsg`.
  mutating func putLinkHeader(family: UInt8 = 0, index: UInt32 = 0, flags: UInt32 = 0, change: UInt32 = 0) {
    put(family)
    put(UInt8(0))
    put(UInt16(0))
    put(index)
    put(flags)
    put(change)
  }
}
