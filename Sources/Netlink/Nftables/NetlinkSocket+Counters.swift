import CNetfilter
import Kernel
import Netfilter

extension NetlinkSocket {
  /// The named counters of a table; none if there is no such table. The socket must be of family `netfilter`.
  public mutating func counters(of table: NftTableName) throws(KernelError) -> [NftCounter] {
    try dump("nftables counters") { writer in
      writer.begin(type: UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(NFT_MSG_GETOBJ.rawValue), flags: 0)
      writer.putNetfilterHeader(family: table.family.rawValue)
      writer.attribute(Int(NFTA_OBJ_TABLE.rawValue), table.name)
      writer.attribute(Int(NFTA_OBJ_TYPE.rawValue), UInt32(NFT_OBJECT_COUNTER).bigEndian)
    } parse: {
      NftCounter($0, $1, of: table)
    }
  }
}

extension NftCounter {
  /// Reads NFT_MSG_NEWOBJ; nil if it is another message, cut, of another table, or no counter. Numbers are in network byte
  /// order.
  init?(_ header: MessageHeader, _ payload: RawSpan, of table: NftTableName) {
    guard header.type == UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(NFT_MSG_NEWOBJ.rawValue),
      payload.integer(UInt8.self) == table.family.rawValue
    else { return nil }
    var name: String?
    var owner: String?
    var type: UInt32?
    var packets: UInt64?
    var bytes: UInt64?
    payload.forEachAttribute(from: 4) { attribute, value in
      switch attribute {
      case Int(NFTA_OBJ_TABLE.rawValue): owner = value.text
      case Int(NFTA_OBJ_NAME.rawValue): name = value.text
      case Int(NFTA_OBJ_TYPE.rawValue): type = value.integer(UInt32.self).map(UInt32.init(bigEndian:))
      case Int(NFTA_OBJ_DATA.rawValue):
        value.forEachAttribute { attribute, value in
          let number = value.integer(UInt64.self).map(UInt64.init(bigEndian:))
          switch attribute {
          case Int(NFTA_COUNTER_PACKETS.rawValue): packets = number
          case Int(NFTA_COUNTER_BYTES.rawValue): bytes = number
          default: break
          }
        }
      default: break
      }
    }
    guard let name, let packets, let bytes, owner == table.name, type == UInt32(NFT_OBJECT_COUNTER) else { return nil }
    self.init(name, packets: packets, bytes: bytes)
  }
}
