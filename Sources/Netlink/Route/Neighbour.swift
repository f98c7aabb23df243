import Addresses
import CNetfilter

/// An entry of the neighbour table (ip-neighbour(8)): which hardware address an address on a link has.
public struct Neighbour: Hashable, Sendable {
  /// The link, by index.
  public var link: UInt32
  public var address: IPAddress
  public var mac: MACAddress?
  /// NUD_*: an entry of 0x80 (NUD_PERMANENT) stays until it is deleted.
  public var state: UInt16 = 0x80

  public init(_ address: IPAddress, at mac: MACAddress, on link: UInt32) {
    self.address = address
    self.mac = mac
    self.link = link
  }
}

/// An entry of a bridge's forwarding table (bridge(8), `bridge fdb`): behind which port a hardware address is.
public struct ForwardingEntry: Hashable, Sendable {
  /// The port, by index.
  public var port: UInt32
  public var mac: MACAddress
  /// The VLAN, on a bridge that filters them.
  public var vlan: UInt16?
  /// True if the entry stays when another port sees the address. A static entry alone moves.
  public var isSticky = false
  /// The bridge, by index, of an entry that was listed.
  public internal(set) var bridge: UInt32?
  /// True for a listed entry that the bridge has learned by itself, and will forget.
  public internal(set) var isLearned = false

  public init(_ mac: MACAddress, behind port: UInt32) {
    self.mac = mac
    self.port = port
  }
}

extension RouteBatch {
  /// Adds a neighbour, in place of what was known or learned of the address.
  public mutating func set(_ neighbour: Neighbour) {
    append(
      "set neighbour", .address(neighbour.address), tolerating: .none, type: Int(RTM_NEWNEIGH),
      flags: NLM_F_CREATE | NLM_F_REPLACE
    ) { writer in
      writer.putNeighbourHeader(
        family: neighbour.address.family, link: neighbour.link, state: neighbour.state, flags: 0)
      writer.attribute(Int(NDA_DST), neighbour.address)
      if let mac = neighbour.mac { writer.attribute(Int(NDA_LLADDR), mac) }
    }
  }

  public mutating func delete(_ neighbour: Neighbour, tolerating tolerance: Tolerance = .none) {
    append(
      "delete neighbour", .address(neighbour.address), tolerating: tolerance, type: Int(RTM_DELNEIGH), flags: 0
    ) { writer in
      writer.putNeighbourHeader(family: neighbour.address.family, link: neighbour.link, state: 0, flags: 0)
      writer.attribute(Int(NDA_DST), neighbour.address)
    }
  }

  /// Adds a static entry to the forwarding table of the bridge that the port is in, in place of what was learned.
  public mutating func set(_ entry: ForwardingEntry) {
    append(
      "set forwarding entry", .hardware(entry.mac), tolerating: .none, type: Int(RTM_NEWNEIGH),
      flags: NLM_F_CREATE | NLM_F_REPLACE
    ) { $0.put(entry) }
  }

  public mutating func delete(_ entry: ForwardingEntry, tolerating tolerance: Tolerance = .none) {
    append(
      "delete forwarding entry", .hardware(entry.mac), tolerating: tolerance, type: Int(RTM_DELNEIGH), flags: 0
    ) { $0.put(entry) }
  }
}

extension MessageWriter {
  /// `struct ndmsg`.
  fileprivate mutating func putNeighbourHeader(family: UInt8, link: UInt32, state: UInt16, flags: UInt8) {
    put(family)
    put(UInt8(0))
    put(UInt16(0))
    put(link)
    put(state)
    put(flags)
    put(UInt8(0))
  }

  fileprivate mutating func put(_ entry: ForwardingEntry) {
    // NTF_MASTER: the table is the bridge's, not the port's own. NUD_NOARP is what bridge(8) calls static: it neither ages
    // nor goes, and frames to it still leave by the port (NUD_PERMANENT would mean the bridge itself).
    putNeighbourHeader(
      family: bridgeFamily, link: entry.port, state: UInt16(NUD_NOARP),
      flags: UInt8(NTF_MASTER) | (entry.isSticky ? UInt8(NTF_STICKY) : 0))
    attribute(Int(NDA_LLADDR), entry.mac)
    if let vlan = entry.vlan { attribute(Int(NDA_VLAN), vlan) }
  }
}

/// AF_BRIDGE.
let bridgeFamily: UInt8 = 7
