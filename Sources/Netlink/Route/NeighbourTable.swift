import CNetfilter
import Kernel

/// The kernel's table of neighbours of one family, which all network namespaces share (ip-ntable(8)).
public struct NeighbourTable: Hashable, Sendable {
  /// `arp_cache` or `ndisc_cache`.
  public var name: String
  /// The most entries. No further neighbour is learned beyond it (gc_thresh3 in arp(7)).
  public var limit: UInt32
  /// All entries. Permanent ones do not count towards the limit.
  public var entries: UInt32
  /// The number of entries that did not fit, since the kernel was started (ndts_table_fulls in linux/neighbour.h).
  public var overflows: UInt64
}

extension NetlinkSocket {
  /// The tables of both families, whichever namespace the socket is in.
  public mutating func neighbourTables() throws(KernelError) -> [NeighbourTable] {
    try dump("neighbour tables") { writer in
      writer.begin(type: UInt16(RTM_GETNEIGHTBL), flags: 0)
      // struct ndtmsg
      writer.put(UInt32(0))
    } parse: {
      NeighbourTable($0, $1)
    }
  }
}

extension NeighbourTable {
  /// Reads RTM_NEWNEIGHTBL; nil for the parameters of a single link, or if it is another message or cut.
  init?(_ header: MessageHeader, _ payload: RawSpan) {
    guard header.type == UInt16(RTM_NEWNEIGHTBL) else { return nil }
    var table = NeighbourTable(name: "", limit: 0, entries: 0, overflows: 0)
    var isWhole = false
    payload.forEachAttribute(from: 4) { type, value in
      switch type {
      case Int(NDTA_NAME): table.name = value.text
      case Int(NDTA_THRESH3): table.limit = value.integer(UInt32.self) ?? 0
      case Int(NDTA_CONFIG):
        // struct ndt_config: two lengths, then the number of entries.
        table.entries = value.integer(UInt32.self, at: 4) ?? 0
        isWhole = true
      case Int(NDTA_STATS):
        // struct ndt_stats: table_fulls is the eleventh of its counters.
        table.overflows = value.integer(UInt64.self, at: 80) ?? 0
      default: break
      }
    }
    guard isWhole else { return nil }
    self = table
  }
}
