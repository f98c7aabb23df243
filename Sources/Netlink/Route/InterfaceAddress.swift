import Addresses
import CNetfilter

/// An address of a link (ip-address(8)).
public struct InterfaceAddress: Hashable, Sendable {
  /// The link, by index.
  public var link: UInt32
  public var address: IPAddress
  /// The length of the network's prefix, in bits.
  public var prefixLength: Int
  /// True if an IPv6 address is used without asking first whether another has it (IFA_F_NODAD).
  public var skipsDuplicateDetection = false
  /// True if an IPv4 address is good on its link alone (RT_SCOPE_LINK): what goes beyond has another as its source.
  public var isLinkScoped = false
  /// True if the kernel makes no route to the network (IFA_F_NOPREFIXROUTE).
  public var makesNoRoute = false

  public init(_ address: IPAddress, prefixLength: Int, on link: UInt32) {
    self.address = address
    self.prefixLength = prefixLength
    self.link = link
  }

  /// RT_SCOPE_LINK
  static let linkScope: UInt8 = 253

  var flags: UInt32 {
    (skipsDuplicateDetection ? UInt32(IFA_F_NODAD) : 0) | (makesNoRoute ? UInt32(IFA_F_NOPREFIXROUTE) : 0)
  }
}

extension InterfaceAddress: CustomStringConvertible {
  public var description: String { "\(address)/\(prefixLength)" }
}

extension RouteBatch {
  public mutating func add(_ address: InterfaceAddress, tolerating tolerance: Tolerance = .none) {
    append(
      "add address", .interfaceAddress(address), tolerating: tolerance, type: Int(RTM_NEWADDR),
      flags: NLM_F_CREATE | NLM_F_EXCL
    ) { $0.put(address) }
  }

  public mutating func delete(_ address: InterfaceAddress, tolerating tolerance: Tolerance = .none) {
    append("delete address", .interfaceAddress(address), tolerating: tolerance, type: Int(RTM_DELADDR), flags: 0) {
      $0.put(address)
    }
  }
}

extension IPAddress {
  /// AF_INET or AF_INET6, as message headers have it.
  var family: UInt8 {
    switch self {
    case .v4: 2
    case .v6: 10
    }
  }
}

extension MessageWriter {
  /// `struct ifaddrmsg` and its attributes.
  fileprivate mutating func put(_ address: InterfaceAddress) {
    put(address.address.family)
    put(UInt8(clamping: address.prefixLength))
    put(UInt8(truncatingIfNeeded: address.flags))
    put(address.isLinkScoped ? InterfaceAddress.linkScope : 0)
    put(address.link)
    attribute(Int(IFA_LOCAL), address.address)
    attribute(Int(IFA_ADDRESS), address.address)
    // The header has room for eight of the flags; the attribute replaces them (IFA_F_NOPREFIXROUTE is the tenth).
    if address.flags != 0 { attribute(Int(IFA_FLAGS), address.flags) }
  }
}
