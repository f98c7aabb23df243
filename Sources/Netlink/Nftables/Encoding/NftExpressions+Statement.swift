import Addresses
import CNetfilter
import Kernel
import Netfilter
import SystemPackage

extension NftExpressions {
  mutating func add(_ statement: NftStatement) throws(KernelError) {
    switch statement {
    case .verdict(let verdict): try add(verdict)
    case .reject(let rejection): try add(rejection)
    case .masquerade: try add("masq") { _ in }
    case .masqueradePorts(let range):
      try loadConstant(octets(range.lowerBound.bigEndian), into: firstRegister)
      try loadConstant(octets(range.upperBound.bigEndian), into: register(4))
      try add("masq") { masquerade in
        nftnl_expr_set_u32(masquerade, UInt16(NFTNL_EXPR_MASQ_REG_PROTO_MIN), firstRegister)
        nftnl_expr_set_u32(masquerade, UInt16(NFTNL_EXPR_MASQ_REG_PROTO_MAX), register(4))
        // NF_NAT_RANGE_PROTO_SPECIFIED
        nftnl_expr_set_u32(masquerade, UInt16(NFTNL_EXPR_MASQ_FLAGS), 2)
      }
    case .snat(let address): try translate(NFT_NAT_SNAT, to: address, port: nil)
    case .dnat(let address, let port): try translate(NFT_NAT_DNAT, to: address, port: port)
    case .dnatMap(let family, let fields, let name):
      guard !family.isMixed else { throw refusal("dnat needs to know whether a map gives addresses of ip or ip6") }
      try map(fields, through: name, decides: false)
      // The map's data is a concatenation: after the address, at the next whole register, comes the port.
      try addNat(NFT_NAT_DNAT, family, port: register(family == .ip ? 1 : 4))
    case .assign(let field, let address):
      guard address.nftFamily == field.neededFamily else {
        throw refusal("\(address) is no value of \(field.rendered)")
      }
      if let needed = field.neededFamily { try require(needed) }
      try loadConstant(address.octets, into: firstRegister)
      try store(field)
    case .assignMap(let field, let fields, let name):
      if let needed = field.neededFamily { try require(needed) }
      try map(fields, through: name, decides: false)
      try store(field)
    case .verdictMap(let fields, let name): try map(fields, through: name, decides: true)
    case .setMark(let mark):
      try loadConstant(octets(mark), into: firstRegister)
      try add("meta") { meta in
        nftnl_expr_set_u32(meta, UInt16(NFTNL_EXPR_META_KEY), UInt32(NFT_META_MARK.rawValue))
        nftnl_expr_set_u32(meta, UInt16(NFTNL_EXPR_META_SREG), firstRegister)
      }
    case .counter:
      try add("counter") { counter in
        nftnl_expr_set_u64(counter, UInt16(NFTNL_EXPR_CTR_PACKETS), 0)
        nftnl_expr_set_u64(counter, UInt16(NFTNL_EXPR_CTR_BYTES), 0)
      }
    case .countIn(let name):
      guard (1...255).contains(name.utf8.count) else { throw refusal("a counter's name is not 1 to 255 octets") }
      try add("objref") { reference in
        nftnl_expr_set_u32(reference, UInt16(NFTNL_EXPR_OBJREF_IMM_TYPE), UInt32(NFT_OBJECT_COUNTER))
        nftnl_expr_set_str(reference, UInt16(NFTNL_EXPR_OBJREF_IMM_NAME), name)
      }
    case .log(let prefix):
      // NF_LOG_PREFIXLEN, with its NUL.
      guard prefix.utf8.count <= 127 else { throw refusal("a log prefix is over 127 octets") }
      try add("log") { nftnl_expr_set_str($0, UInt16(NFTNL_EXPR_LOG_PREFIX), prefix) }
    case .notrack: try add("notrack") { _ in }
    case .countConnections(let field, let set, let most):
      let count = try nftnl(nftnl_expr_alloc("connlimit"))
      nftnl_expr_set_u32(count, UInt16(NFTNL_EXPR_CONNLIMIT_COUNT), most)
      nftnl_expr_set_u32(count, UInt16(NFTNL_EXPR_CONNLIMIT_FLAGS), UInt32(NFT_CONNLIMIT_F_INV.rawValue))
      try addElement(of: field, to: set) {
        nftnl_expr_set(
          $0, UInt16(NFTNL_EXPR_DYNSET_EXPR), UnsafeRawPointer(count), 0)
      }
    case .remember(let field, let set, let milliseconds):
      try addElement(of: field, to: set) {
        nftnl_expr_set_u64($0, UInt16(NFTNL_EXPR_DYNSET_TIMEOUT), milliseconds)
      }
    }
  }

  private mutating func addElement(
    of field: NftField, to set: String, _ configure: (OpaquePointer) -> Void
  ) throws(KernelError) {
    guard (1...255).contains(set.utf8.count) else { throw refusal("a set's name is not 1 to 255 octets") }
    try load(field, into: 0)
    try add("dynset") { dynset in
      nftnl_expr_set_str(dynset, UInt16(NFTNL_EXPR_DYNSET_SET_NAME), set)
      nftnl_expr_set_u32(dynset, UInt16(NFTNL_EXPR_DYNSET_OP), UInt32(NFT_DYNSET_OP_ADD.rawValue))
      nftnl_expr_set_u32(dynset, UInt16(NFTNL_EXPR_DYNSET_SREG_KEY), firstRegister)
      configure(dynset)
    }
  }

  /// Writes what is in the first register into the packet, and corrects the checksums that cover it.
  private mutating func store(_ field: NftField) throws(KernelError) {
    guard let place = field.place, [.ipv4Address, .ipv6Address].contains(field.type) else {
      throw refusal("\(field.rendered) cannot be written")
    }
    // The header of IPv4 has a checksum of its own, at its tenth octet; both stand in that of the transport.
    let hasChecksum = field.type == .ipv4Address
    try add("payload") { payload in
      nftnl_expr_set_u32(payload, UInt16(NFTNL_EXPR_PAYLOAD_SREG), firstRegister)
      nftnl_expr_set_u32(payload, UInt16(NFTNL_EXPR_PAYLOAD_BASE), place.base)
      nftnl_expr_set_u32(payload, UInt16(NFTNL_EXPR_PAYLOAD_OFFSET), place.offset)
      nftnl_expr_set_u32(payload, UInt16(NFTNL_EXPR_PAYLOAD_LEN), UInt32(field.type.length))
      nftnl_expr_set_u32(
        payload, UInt16(NFTNL_EXPR_PAYLOAD_CSUM_TYPE),
        UInt32((hasChecksum ? NFT_PAYLOAD_CSUM_INET : NFT_PAYLOAD_CSUM_NONE).rawValue))
      nftnl_expr_set_u32(payload, UInt16(NFTNL_EXPR_PAYLOAD_CSUM_OFFSET), hasChecksum ? 10 : 0)
      nftnl_expr_set_u32(
        payload, UInt16(NFTNL_EXPR_PAYLOAD_FLAGS), UInt32(NFT_PAYLOAD_L4CSUM_PSEUDOHDR.rawValue))
    }
  }

  private mutating func add(_ verdict: NftVerdict) throws(KernelError) {
    if let chain = verdict.chain, !(1...255).contains(chain.utf8.count) {
      throw refusal("a chain's name is not 1 to 255 octets")
    }
    try add("immediate") { immediate in
      nftnl_expr_set_u32(immediate, UInt16(NFTNL_EXPR_IMM_DREG), UInt32(NFT_REG_VERDICT.rawValue))
      nftnl_expr_set_u32(immediate, UInt16(NFTNL_EXPR_IMM_VERDICT), verdict.code)
      if let chain = verdict.chain { nftnl_expr_set_str(immediate, UInt16(NFTNL_EXPR_IMM_CHAIN), chain) }
    }
  }

  private mutating func add(_ rejection: NftRejection) throws(KernelError) {
    if rejection == .tcpReset { try require(transport: 6) }
    let (type, code) = rejection.encoded(in: family)
    try add("reject") { reject in
      nftnl_expr_set_u32(reject, UInt16(NFTNL_EXPR_REJECT_TYPE), UInt32(type.rawValue))
      nftnl_expr_set_u8(reject, UInt16(NFTNL_EXPR_REJECT_CODE), code)
    }
  }

  private mutating func translate(
    _ type: nft_nat_types, to address: IPAddress, port: UInt16?
  ) throws(KernelError) {
    // A table that sees both families needs no question first: the expression passes over packets of the other itself.
    guard family.isMixed || address.nftFamily == family else {
      throw refusal("\(address) in a table of family \(family.rendered)")
    }
    try loadConstant(address.octets, into: firstRegister)
    if let port { try loadConstant(octets(port.bigEndian), into: firstRegister + 1) }
    try addNat(type, address.nftFamily, port: port == nil ? nil : firstRegister + 1)
  }

  private mutating func loadConstant(_ data: [UInt8], into register: UInt32) throws(KernelError) {
    try add("immediate") { immediate in
      nftnl_expr_set_u32(immediate, UInt16(NFTNL_EXPR_IMM_DREG), register)
      nftnl_expr_set(immediate, UInt16(NFTNL_EXPR_IMM_DATA), data, UInt32(data.count))
    }
  }

  private mutating func addNat(
    _ type: nft_nat_types, _ family: NftFamily, port: UInt32?
  ) throws(KernelError) {
    try add("nat") { nat in
      nftnl_expr_set_u32(nat, UInt16(NFTNL_EXPR_NAT_TYPE), UInt32(type.rawValue))
      nftnl_expr_set_u32(nat, UInt16(NFTNL_EXPR_NAT_FAMILY), UInt32(family.rawValue))
      nftnl_expr_set_u32(nat, UInt16(NFTNL_EXPR_NAT_REG_ADDR_MIN), firstRegister)
      if let port { nftnl_expr_set_u32(nat, UInt16(NFTNL_EXPR_NAT_REG_PROTO_MIN), port) }
    }
  }
}

extension NftRejection {
  /// Tables that see one family speak its ICMP; the others leave the choice of ICMP to the kernel (icmpx).
  fileprivate func encoded(in family: NftFamily) -> (nft_reject_types, UInt8) {
    if self == .tcpReset { return (NFT_REJECT_TCP_RST, 0) }
    let prohibited = self == .administrativelyProhibited
    // RFC 1812 5.2.7.1: code 13 and 3. RFC 4443 3.1: code 1 and 4. Of the kernel's own: 3 and 1.
    return switch family {
    case .ip: (NFT_REJECT_ICMP_UNREACH, prohibited ? 13 : 3)
    case .ip6: (NFT_REJECT_ICMP_UNREACH, prohibited ? 1 : 4)
    default:
      (
        NFT_REJECT_ICMPX_UNREACH,
        UInt8((prohibited ? NFT_REJECT_ICMPX_ADMIN_PROHIBITED : NFT_REJECT_ICMPX_PORT_UNREACH).rawValue)
      )
    }
  }
}
