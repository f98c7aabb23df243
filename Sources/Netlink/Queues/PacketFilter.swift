import CNetfilter
import Kernel

/// A program of the classic BPF that tc(8) runs on each packet (tc-bpf(8), direct-action): it passes or it is dropped.
public struct PacketFilter: Hashable, Sendable {
  /// One instruction, `struct sock_filter`.
  public struct Instruction: Hashable, Sendable {
    public var code: UInt16
    public var whenTrue: UInt8
    public var whenFalse: UInt8
    public var value: UInt32
  }

  public var instructions: [Instruction]

  /// The place at which packets meet the filter.
  public enum Place: Hashable, Sendable {
    /// Packets that come in by a link, which has a ``RouteBatch/createFilterPlace(on:sharing:tolerating:)``.
    case ingress(link: UInt32)
    /// Packets that leave by any of the links that share a block.
    case block(UInt32)
  }

  /// As tc(8) takes it: `4,32 0 0 4294963220,…`.
  public var rendered: String {
    "\(instructions.count),"
      + instructions.map { "\($0.code) \($0.whenTrue) \($0.whenFalse) \($0.value)" }.joined(separator: ",")
  }
}

extension PacketFilter {
  /// Passes packets that bear a mark, and drops others.
  ///
  /// - Parameters:
  ///   - passesBridgeAnswers: true to pass packets that the kernel itself sends by a bridge's port, past all hooks. These
  ///     are answers for hardware addresses (br_arp_send and br_nd_send in net/bridge/br_arp_nd_proxy.c) and resets of
  ///     connections that the firewall refuses (nf_send_reset in net/ipv4/netfilter/nf_reject_ipv4.c). They are new
  ///     packets; those that a bridge passes on are not.
  public init(mark: UInt32, passesBridgeAnswers: Bool) {
    // SKF_AD_OFF with SKF_AD_MARK and SKF_AD_PKTTYPE (linux/filter.h); PACKET_HOST is 0, PACKET_LOOPBACK 5 (linux/if_packet.h).
    let (markOffset, typeOffset): (UInt32, UInt32) = (0xFFFF_F014, 0xFFFF_F004)
    let (load, loadHalf, loadByte): (UInt16, UInt16, UInt16) = (0x20, 0x28, 0x30)
    let (jump, equal, anyBit, end): (UInt16, UInt16, UInt16, UInt16) = (0x05, 0x15, 0x45, 0x06)
    func step(_ code: UInt16, _ value: UInt32, _ yes: UInt8 = 0, _ no: UInt8 = 0) -> Instruction {
      Instruction(code: code, whenTrue: yes, whenFalse: no, value: value)
    }
    let (pass, drop) = (step(end, 0), step(end, 2))
    guard passesBridgeAnswers else {
      instructions = [
        step(load, markOffset), step(equal, mark, 2, 0), step(load, typeOffset), step(equal, 5, 0, 1), pass, drop,
      ]
      return
    }
    instructions = [
      step(load, markOffset), step(equal, mark, 17, 0),
      step(load, typeOffset), step(equal, 0, 0, 16),
      // ARP.
      step(loadHalf, 12), step(equal, 0x0806, 13, 0), step(equal, 0x86DD, 5, 0), step(equal, 0x0800, 0, 12),
      // IPv4 without options, with TCP: on to its flags.
      step(loadByte, 23), step(equal, 6, 0, 10), step(loadByte, 47), step(jump, 6),
      // IPv6 with a neighbour advertisement, or with TCP.
      step(loadByte, 20), step(equal, 58, 0, 2), step(loadByte, 54), step(equal, 136, 3, 4),
      step(equal, 6, 0, 3), step(loadByte, 67),
      // RST.
      step(anyBit, 4, 0, 1), pass, drop,
    ]
  }
}

extension RouteBatch {
  /// Makes the place at a link where filters stand, without a queue (`clsact`). At a link that is up, the kernel waits for all
  /// packets under way.
  ///
  /// - Parameter block: the filters of packets that leave, shared by all links that name the number.
  public mutating func createFilterPlace(
    on link: UInt32, sharing block: UInt32? = nil, tolerating tolerance: Tolerance = .existing
  ) {
    append(
      "create", .queue("clsact"), tolerating: tolerance, type: Int(RTM_NEWQDISC), flags: NLM_F_CREATE | NLM_F_EXCL
    ) { writer in
      // TC_H_CLSACT, which is TC_H_INGRESS.
      writer.putQueueHeader(link: link, handle: 0xFFFF_0000, parent: 0xFFFF_FFF1)
      writer.attribute(Int(TCA_KIND), "clsact")
      if let block { writer.attribute(Int(TCA_EGRESS_BLOCK), block) }
    }
  }

  /// Adds a filter, the only one of its place.
  public mutating func create(
    _ filter: PacketFilter, at place: PacketFilter.Place, tolerating tolerance: Tolerance = .existing
  ) {
    append(
      "create", .queue("bpf filter"), tolerating: tolerance, type: Int(RTM_NEWTFILTER),
      flags: NLM_F_CREATE | NLM_F_EXCL
    ) { writer in
      // The first priority, and every protocol (ETH_P_ALL, in network byte order).
      let information = UInt32(1) << 16 | UInt32(UInt16(0x0003).bigEndian)
      switch place {
      case .ingress(let link):
        // TC_H_CLSACT with TC_H_MIN_INGRESS.
        writer.putFilterHeader(link: link, handle: 1, parent: 0xFFFF_FFF2, information: information)
      case .block(let number):
        // TCM_IFINDEX_MAGIC_BLOCK: the parent is the block's number.
        writer.putFilterHeader(link: .max, handle: 1, parent: number, information: information)
      }
      writer.attribute(Int(TCA_KIND), "bpf")
      writer.nest(Int(TCA_OPTIONS)) { writer in
        writer.attribute(Int(TCA_BPF_OPS_LEN), UInt16(clamping: filter.instructions.count))
        writer.attribute(Int(TCA_BPF_OPS)) { writer in
          for instruction in filter.instructions {
            writer.put(instruction.code)
            writer.put(instruction.whenTrue)
            writer.put(instruction.whenFalse)
            writer.put(instruction.value)
          }
        }
        writer.attribute(Int(TCA_BPF_FLAGS), UInt32(TCA_BPF_FLAG_ACT_DIRECT))
      }
    }
  }
}

extension NetlinkSocket {
  /// True if a filter stands at a link, for packets that leave by it or that come in. A filter of a shared block counts.
  public mutating func hasPacketFilter(on link: UInt32, leaving: Bool) throws(KernelError) -> Bool {
    let filters = try dump("filters of link \(link)") { writer in
      writer.begin(type: UInt16(RTM_GETTFILTER), flags: 0)
      // TC_H_CLSACT with TC_H_MIN_EGRESS or TC_H_MIN_INGRESS.
      writer.putFilterHeader(link: link, handle: 0, parent: leaving ? 0xFFFF_FFF3 : 0xFFFF_FFF2, information: 0)
    } parse: { header, _ in
      header.type == UInt16(RTM_NEWTFILTER) ? true : nil
    }
    return !filters.isEmpty
  }
}

extension MessageWriter {
  /// `struct tcmsg`.
  fileprivate mutating func putFilterHeader(link: UInt32, handle: UInt32, parent: UInt32, information: UInt32) {
    put(UInt32(0))
    put(link)
    put(handle)
    put(parent)
    put(information)
  }
}
