import Addresses

/// A connection that the kernel tracks.
public struct Connection: Hashable, Sendable {
  /// One way of it. Ports are nil for protocols without.
  public struct Flow: Hashable, Sendable {
    public var source: IPAddress
    public var destination: IPAddress
    public var sourcePort: UInt16?
    public var destinationPort: UInt16?

    package init(source: IPAddress, destination: IPAddress, sourcePort: UInt16? = nil, destinationPort: UInt16? = nil) {
      self.source = source
      self.destination = destination
      self.sourcePort = sourcePort
      self.destinationPort = destinationPort
    }
  }

  /// The transport protocol's number: 6 is TCP, 17 UDP.
  public var transport: UInt8
  /// The first packet's addresses and ports, before translation.
  public var original: Flow
  /// The answers' addresses and ports: their source is where the packets really go.
  public var reply: Flow
  /// The original way in the kernel's own octets, by which it is deleted.
  package var tuple: [UInt8]
  package var identifier: UInt32?
  /// The zone in network byte order.
  package var zone: UInt16?

  package init(
    transport: UInt8, original: Flow, reply: Flow, tuple: [UInt8], identifier: UInt32? = nil, zone: UInt16? = nil
  ) {
    self.transport = transport
    self.original = original
    self.reply = reply
    self.tuple = tuple
    self.identifier = identifier
    self.zone = zone
  }
}
