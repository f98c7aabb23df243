import CNetfilter

/// The field of a packet, or of its connection, that a rule matches.
public enum NftField: Hashable, Sendable {
  /// The link it came in by (`iifname`).
  case inputInterface
  /// The link it leaves by (`oifname`).
  case outputInterface
  /// IPv4 or IPv6 (`meta nfproto`).
  case networkFamily
  /// TCP, UDP, ICMP (`meta l4proto`).
  case transportProtocol
  case mark
  case ipSource
  case ipDestination
  case ip6Source
  case ip6Destination
  /// 255 only in packets that no router has passed on.
  case hopLimit
  /// The source port of any transport with ports (`th sport`).
  case sourcePort
  case destinationPort
  case icmpType
  case icmpv6Type
  case etherSource
  case etherDestination
  /// The type in the frame's own header: that of a tag where the frame has one.
  case etherType
  /// The frame's addressee: this host, a group or all (`meta pkttype`).
  case packetType
  /// The sender that an ARP packet names (RFC 826).
  case arpSenderHardware
  case arpSenderAddress
  /// The address that a neighbour solicitation or advertisement is about (RFC 4861, 4.3 and 4.4).
  case neighbourTarget
  /// The destination of the packet that an ICMP error quotes (RFC 792), and that an ICMPv6 error does (RFC 4443, 3).
  case quotedDestination
  case quotedDestination6
  /// The network that a VXLAN packet is of (RFC 7348, 5), behind the header of UDP.
  case tunnelNumber
  case connectionState
  case connectionStatus
  case connectionDirection
  /// The destination of the connection's first packet, before any DNAT (`ct original ip daddr`).
  case originalDestination
  case originalDestination6
  /// `ct original proto-dst`; nft wants the transport protocol matched before it.
  case originalDestinationPort
  /// The type of the destination for this host: local, unicast, broadcast (`fib daddr type`).
  case destinationType
  case sourceType

  public var type: NftType {
    switch self {
    case .inputInterface, .outputInterface: .interfaceName
    case .networkFamily: .networkFamily
    case .transportProtocol: .transportProtocol
    case .mark: .mark
    case .ipSource, .ipDestination, .originalDestination: .ipv4Address
    case .ip6Source, .ip6Destination, .originalDestination6: .ipv6Address
    case .hopLimit: .hopLimit
    case .sourcePort, .destinationPort, .originalDestinationPort: .port
    case .icmpType: .icmpType
    case .icmpv6Type: .icmpv6Type
    case .etherSource, .etherDestination, .arpSenderHardware: .hardwareAddress
    case .arpSenderAddress: .ipv4Address
    case .etherType: .etherType
    case .packetType: .packetType
    case .neighbourTarget, .quotedDestination6: .neighbourTarget
    case .quotedDestination: .quotedAddress
    case .tunnelNumber: .tunnelNumber
    case .connectionState: .connectionState
    case .connectionStatus: .connectionStatus
    case .connectionDirection: .connectionDirection
    case .destinationType, .sourceType: .addressType
    }
  }

  /// As nft writes it.
  public var rendered: String {
    switch self {
    case .inputInterface: "iifname"
    case .outputInterface: "oifname"
    case .networkFamily: "meta nfproto"
    case .transportProtocol: "meta l4proto"
    case .mark: "meta mark"
    case .ipSource: "ip saddr"
    case .ipDestination: "ip daddr"
    case .ip6Source: "ip6 saddr"
    case .ip6Destination: "ip6 daddr"
    case .hopLimit: "ip6 hoplimit"
    case .sourcePort: "th sport"
    case .destinationPort: "th dport"
    case .icmpType: "icmp type"
    case .icmpv6Type: "icmpv6 type"
    case .etherSource: "ether saddr"
    case .etherDestination: "ether daddr"
    case .etherType: "ether type"
    case .packetType: "meta pkttype"
    case .arpSenderHardware: "arp saddr ether"
    case .arpSenderAddress: "arp saddr ip"
    case .neighbourTarget: "@th,64,128"
    case .quotedDestination: "@th,192,32"
    case .quotedDestination6: "@th,256,128"
    case .tunnelNumber: "@th,96,24"
    case .connectionState: "ct state"
    case .connectionStatus: "ct status"
    case .connectionDirection: "ct direction"
    case .originalDestination: "ct original ip daddr"
    case .originalDestination6: "ct original ip6 daddr"
    case .originalDestinationPort: "ct original proto-dst"
    case .destinationType: "fib daddr type"
    case .sourceType: "fib saddr type"
    }
  }

  /// The network protocol that a packet must have for the field to be there.
  package var neededFamily: NftFamily? {
    switch self {
    case .ipSource, .ipDestination, .icmpType: .ip
    case .ip6Source, .ip6Destination, .hopLimit, .icmpv6Type, .neighbourTarget: .ip6
    default: nil
    }
  }

  /// True for a field of ARP packets, which tables of family bridge and netdev see.
  package var needsARP: Bool { self == .arpSenderHardware || self == .arpSenderAddress }

  /// The transport protocol that a packet must have for the field to be there.
  package var neededTransport: UInt8? {
    switch self {
    case .icmpType: 1
    case .icmpv6Type, .neighbourTarget: 58
    case .tunnelNumber: 17
    default: nil
    }
  }
}

extension [NftField] {
  /// A concatenation as nft writes it.
  var rendered: String { map(\.rendered).joined(separator: " . ") }
}
