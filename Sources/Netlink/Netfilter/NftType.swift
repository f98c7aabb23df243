/// The type of a value, as set declarations name it (nft(8), DATA TYPES).
public enum NftType: Hashable, Sendable {
  case interfaceName
  case networkFamily
  case transportProtocol
  case ipv4Address
  case ipv6Address
  case port
  case connectionState
  case connectionStatus
  case connectionDirection
  case addressType
  case icmpType
  case icmpv6Type
  case mark
  case hardwareAddress
  case etherType
  case packetType
  case tunnelNumber
  /// An address in the body of a packet, which nft knows no name for and takes for a number.
  case neighbourTarget
  /// The same of IPv4, in the packet that an ICMP error quotes.
  case quotedAddress
  case hopLimit

  /// As nft writes it.
  public var rendered: String {
    switch self {
    case .interfaceName: "ifname"
    case .networkFamily: "nf_proto"
    case .transportProtocol: "inet_proto"
    case .ipv4Address: "ipv4_addr"
    case .ipv6Address: "ipv6_addr"
    case .port: "inet_service"
    case .connectionState: "ct_state"
    case .connectionStatus: "ct_status"
    case .connectionDirection: "ct_dir"
    case .addressType: "fib_addrtype"
    case .icmpType: "icmp_type"
    case .icmpv6Type: "icmpv6_type"
    case .mark: "mark"
    case .hardwareAddress: "ether_addr"
    case .etherType: "ether_type"
    case .packetType: "pkt_type"
    case .tunnelNumber: "integer"
    case .neighbourTarget, .quotedAddress, .hopLimit: "integer"
    }
  }

  /// The number nft knows the type by, six bits in a concatenation (`enum datatypes`, include/datatype.h of nftables).
  package var code: UInt32 {
    switch self {
    case .interfaceName: 41
    case .networkFamily: 2
    case .transportProtocol: 12
    case .ipv4Address: 7
    case .ipv6Address: 8
    case .port: 13
    case .connectionState: 26
    case .connectionStatus: 28
    case .connectionDirection: 27
    case .addressType: 38
    case .icmpType: 14
    case .icmpv6Type: 29
    case .mark: 19
    case .hardwareAddress: 9
    case .etherType: 10
    case .packetType: 31
    case .tunnelNumber: 4
    // A number, whose length is that of what it is looked up by: see `NftSetDeclaration`.
    case .neighbourTarget, .quotedAddress, .hopLimit: 4
    }
  }

  /// True for a number whose length nft knows from the looked-up expression alone.
  package var isNumber: Bool { self == .neighbourTarget || self == .quotedAddress }

  /// Octets of a value.
  package var length: Int {
    switch self {
    case .interfaceName, .ipv6Address, .neighbourTarget: 16
    case .hardwareAddress: 6
    case .tunnelNumber: 3
    case .ipv4Address, .quotedAddress, .connectionState, .connectionStatus, .addressType, .mark: 4
    case .port, .etherType: 2
    case .networkFamily, .transportProtocol, .hopLimit, .connectionDirection, .icmpType, .icmpv6Type, .packetType: 1
    }
  }

  /// Octets that a value takes in a concatenation, whose fields start at whole registers of four.
  package var paddedLength: Int { (length + 3) & ~3 }

  /// True if values are in the machine's byte order, not the network's.
  package var isHostOrder: Bool {
    switch self {
    case .interfaceName, .connectionState, .connectionStatus, .addressType, .mark: true
    default: false
    }
  }
}
