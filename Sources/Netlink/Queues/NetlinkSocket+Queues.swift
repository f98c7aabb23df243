import CNetfilter
import Kernel

/// A discipline as the kernel has it. Where in the tree it hangs, the kernel does not say to who asks for it by number.
public struct ObservedQueue: Hashable, Sendable {
  /// As tc and the kernel call it: `tbf`, `netem`.
  public var kind: String
  public var major: UInt16
  public var counters = QueueCounters()

  public init(kind: String, major: UInt16) {
    self.kind = kind
    self.major = major
  }
}

/// The counters of a queueing discipline since it was made.
public struct QueueCounters: Hashable, Sendable {
  public var packets: UInt64 = 0
  public var octets: UInt64 = 0
  public var dropped: UInt32 = 0
  /// Packets that wait at the moment.
  public var waiting: UInt32 = 0

  public init() {}
}

extension NetlinkSocket {
  /// The discipline of a link by its number; nil if there is none. It is asked for by number, since a list of them would be
  /// one of all links.
  public mutating func queue(_ major: UInt16, on link: UInt32) throws(KernelError) -> ObservedQueue? {
    try get("queue \(major): of link \(link)") { writer in
      // Without NLM_F_ECHO the kernel answers all who listen to changes, and not who asks (rtnetlink_send).
      writer.begin(type: UInt16(RTM_GETQDISC), flags: UInt16(NLM_F_ECHO))
      writer.putQueueHeader(link: link, handle: UInt32(major) << 16, parent: 0)
    } parse: {
      ObservedQueue($0, $1)
    }
  }
}

extension ObservedQueue {
  /// Reads RTM_NEWQDISC; nil if it is another message or cut.
  init?(_ header: MessageHeader, _ payload: RawSpan) {
    guard header.type == UInt16(RTM_NEWQDISC), let handle = payload.integer(UInt32.self, at: 8) else {
      return nil
    }
    var kind: String?
    var counters = QueueCounters()
    payload.forEachAttribute(from: 20) { type, value in
      switch type {
      case Int(TCA_KIND): kind = value.text
      case Int(TCA_STATS2):
        value.forEachAttribute { type, value in
          switch type {
          case Int(TCA_STATS_BASIC):
            counters.octets = value.integer(UInt64.self) ?? 0
            // TCA_STATS_PKT64 has what does not fit here.
            counters.packets = max(counters.packets, UInt64(value.integer(UInt32.self, at: 8) ?? 0))
          case Int(TCA_STATS_PKT64): counters.packets = value.integer(UInt64.self) ?? 0
          case Int(TCA_STATS_QUEUE):
            counters.waiting = value.integer(UInt32.self) ?? 0
            counters.dropped = value.integer(UInt32.self, at: 8) ?? 0
          default: break
          }
        }
      default: break
      }
    }
    guard let kind else { return nil }
    self.init(kind: kind, major: UInt16(handle >> 16))
    self.counters = counters
  }
}
