import Addresses
import CNetfilter
import SystemPackage

/// A veth(4) pair to be made: one end here, its peer at once in another namespace under its final name.
public struct VethPair: Hashable, Sendable {
  /// One end of the pair. What is nil is left to the kernel.
  public struct End: Hashable, Sendable {
    /// At most 15 octets.
    public var name: String
    /// The number it is to have. The kernel takes a peer's only if the near end has one as well (veth_newlink).
    public var index: UInt32?
    public var mac: MACAddress?
    public var mtu: UInt32?
    /// The largest number of packets that wait (txqueuelen).
    public var queueLength: UInt32?
    public var group: UInt32?

    public init(_ name: String) {
      self.name = name
    }
  }

  /// The end in the socket's own namespace.
  public var near: End
  /// The end in the other namespace. It is made down: the kernel refuses IFF_UP here with ENOTCONN, since the pair is not
  /// yet joined when it opens the peer.
  public var peer: End
  /// The peer's namespace; nil is the socket's own. It must stay open until the batch has been applied.
  public var peerNamespace: FileDescriptor?
  /// The bridge that the near end joins, by index.
  public var master: UInt32?
  /// True if the near end is set up at once. Leave it false where a ``LinkChange`` follows that keeps IPv6 from choosing a
  /// link-local address.
  public var isUp = false

  public init(near: End, peer: End, in peerNamespace: FileDescriptor? = nil) {
    self.near = near
    self.peer = peer
    self.peerNamespace = peerNamespace
  }
}

extension RouteBatch {
  /// Makes a veth pair. For alias and IPv6 address generation see ``create(_:tolerating:)-(Bridge,_)``.
  public mutating func create(_ pair: VethPair, tolerating tolerance: Tolerance = .none) {
    append(
      "create veth", .name(pair.near.name), tolerating: tolerance, type: Int(RTM_NEWLINK),
      flags: NLM_F_CREATE | NLM_F_EXCL
    ) { writer in
      let flags: UInt32 = pair.isUp ? interfaceUp : 0
      writer.putLinkHeader(index: pair.near.index ?? 0, flags: flags, change: flags)
      writer.putEnd(pair.near)
      if let master = pair.master { writer.attribute(Int(IFLA_MASTER), master) }
      writer.nest(Int(IFLA_LINKINFO)) { writer in
        writer.attribute(Int(IFLA_INFO_KIND), "veth")
        writer.nest(Int(IFLA_INFO_DATA)) { writer in
          writer.nest(Int(VETH_INFO_PEER)) { writer in
            writer.putLinkHeader(index: pair.peer.index ?? 0)
            writer.putEnd(pair.peer)
            if let namespace = pair.peerNamespace { writer.attribute(Int(IFLA_NET_NS_FD), namespace.rawValue) }
          }
        }
      }
    }
  }
}

extension MessageWriter {
  fileprivate mutating func putEnd(_ end: VethPair.End) {
    attribute(Int(IFLA_IFNAME), end.name)
    if let mac = end.mac { attribute(Int(IFLA_ADDRESS), mac) }
    if let mtu = end.mtu { attribute(Int(IFLA_MTU), mtu) }
    if let length = end.queueLength { attribute(Int(IFLA_TXQLEN), length) }
    if let group = end.group { attribute(Int(IFLA_GROUP), group) }
    // A veth uses one in each direction. Left to itself the kernel makes one for each processor and takes all but one away again,
    // with a wait for all processors under the lock of all interfaces (veth_init_queues).
    attribute(Int(IFLA_NUM_TX_QUEUES), UInt32(1))
    attribute(Int(IFLA_NUM_RX_QUEUES), UInt32(1))
  }
}
