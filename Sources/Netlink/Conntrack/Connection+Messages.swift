import Addresses
import CNetfilter
import Kernel
import Netfilter

extension NetlinkSocket {
  /// The connections tracked in the socket's namespace, of both families. The socket must be of family `netfilter`.
  public mutating func connections() throws(KernelError) -> [Connection] {
    try dump("tracked connections") { writer in
      writer.begin(type: conntrackMessage(IPCTNL_MSG_CT_GET), flags: 0)
      writer.putNetfilterHeader(family: 0)
    } parse: {
      Connection($0, $1)
    }
  }

  /// Makes the kernel forget some of the connections that it has listed, so that their next packet is led as a first one is.
  /// One that has ended meanwhile is no error.
  public mutating func forget(_ connections: [Connection]) throws(KernelError) {
    guard !connections.isEmpty else { return }
    var batch = RouteBatch()
    for connection in connections { batch.forget(connection) }
    try apply(batch)
  }
}

extension RouteBatch {
  mutating func forget(_ connection: Connection) {
    append(
      "forget the connection to", .address(connection.original.destination), tolerating: .gone,
      type: Int(conntrackMessage(IPCTNL_MSG_CT_DELETE)), flags: 0
    ) { writer in
      writer.putNetfilterHeader(family: connection.original.destination.family)
      writer.nest(Int(CTA_TUPLE_ORIG.rawValue)) { writer in
        for octet in connection.tuple { writer.put(octet) }
      }
      // A new connection may have taken the place of the one that was listed: its number is another.
      if let identifier = connection.identifier { writer.attribute(Int(CTA_ID.rawValue), identifier) }
      if let zone = connection.zone { writer.attribute(Int(CTA_ZONE.rawValue), zone) }
    }
  }
}

private func conntrackMessage(_ type: cntl_msg_types) -> UInt16 {
  UInt16(NFNL_SUBSYS_CTNETLINK) << 8 | UInt16(type.rawValue)
}

extension Connection {
  /// Reads IPCTNL_MSG_CT_NEW; nil if it is another message, cut, or without a way.
  init?(_ header: MessageHeader, _ payload: RawSpan) {
    guard header.type == conntrackMessage(IPCTNL_MSG_CT_NEW) else { return nil }
    var original: (transport: UInt8, flow: Flow)?
    var reply: (transport: UInt8, flow: Flow)?
    var tuple: [UInt8] = []
    var identifier: UInt32?
    var zone: UInt16?
    payload.forEachAttribute(from: 4) { type, value in
      switch type {
      case Int(CTA_TUPLE_ORIG.rawValue):
        original = Self.flow(value)
        tuple = value.withUnsafeBytes { [UInt8]($0) }
      case Int(CTA_TUPLE_REPLY.rawValue): reply = Self.flow(value)
      case Int(CTA_ID.rawValue): identifier = value.integer(UInt32.self)
      case Int(CTA_ZONE.rawValue): zone = value.integer(UInt16.self)
      default: break
      }
    }
    guard let original, let reply else { return nil }
    self.init(
      transport: original.transport, original: original.flow, reply: reply.flow, tuple: tuple, identifier: identifier,
      zone: zone)
  }

  private static func flow(_ tuple: RawSpan) -> (transport: UInt8, flow: Flow)? {
    var source: IPAddress?
    var destination: IPAddress?
    var transport: UInt8?
    var sourcePort: UInt16?
    var destinationPort: UInt16?
    tuple.forEachAttribute { type, value in
      switch type {
      case Int(CTA_TUPLE_IP.rawValue):
        value.forEachAttribute { type, value in
          switch type {
          case Int(CTA_IP_V4_SRC.rawValue), Int(CTA_IP_V6_SRC.rawValue): source = value.ipAddress
          case Int(CTA_IP_V4_DST.rawValue), Int(CTA_IP_V6_DST.rawValue): destination = value.ipAddress
          default: break
          }
        }
      case Int(CTA_TUPLE_PROTO.rawValue):
        value.forEachAttribute { type, value in
          switch type {
          case Int(CTA_PROTO_NUM.rawValue): transport = value.integer(UInt8.self)
          case Int(CTA_PROTO_SRC_PORT.rawValue): sourcePort = value.integer(UInt16.self).map(UInt16.init(bigEndian:))
          case Int(CTA_PROTO_DST_PORT.rawValue):
            destinationPort = value.integer(UInt16.self).map(UInt16.init(bigEndian:))
          default: break
          }
        }
      default: break
      }
    }
    guard let source, let destination, let transport else { return nil }
    return (
      transport,
      Flow(source: source, destination: destination, sourcePort: sourcePort, destinationPort: destinationPort)
    )
  }
}
