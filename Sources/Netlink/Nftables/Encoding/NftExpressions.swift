import Addresses
import CNetfilter
import Kernel
import Netfilter
import SystemPackage

/// Adds to a rule the expressions that the kernel's virtual machine runs for its matches and statements.
///
/// Some fields exist only in packets of one protocol. A test for that protocol precedes them, once for each rule, as
/// with nft(8).
struct NftExpressions {
  let rule: OpaquePointer
  let family: NftFamily
  /// The rule, as errors name it.
  let subject: String
  private var count = 0
  private var knownFamily: NftFamily?
  private var knownTransport: UInt8?
  private var isKnownAsARP = false
  private var isKnownAsEthernet = false

  /// The most expressions in a rule, which keeps it far below a message's room.
  private static let limit = 128

  init(rule: OpaquePointer, family: NftFamily, subject: String) {
    self.rule = rule
    self.family = family
    self.subject = subject
  }

  func refusal(_ detail: String) -> KernelError {
    KernelError("add", subject, errno: .invalidArgument, detail: detail)
  }

  mutating func add(_ name: String, _ configure: (OpaquePointer) -> Void) throws(KernelError) {
    guard count < Self.limit else { throw refusal("more than \(Self.limit) expressions") }
    count += 1
    let expression = try nftnl(nftnl_expr_alloc(name))
    configure(expression)
    nftnl_rule_add_expr(rule, expression)
  }

  // MARK: Matches

  mutating func add(_ match: NftMatch) throws(KernelError) {
    switch match {
    case .field(let field, let comparison, let value): try compare(field, comparison, value)
    case .set(let fields, let comparison, let name): try lookUp(fields, in: NftSetReference(name: name), comparison)
    case .anyOf: throw refusal("a set without a name stands where none can")
    case .state(let states): try mask(.connectionState, states.rawValue)
    case .status(let status): try mask(.connectionStatus, status.rawValue)
    case .direction(let direction):
      try load(.connectionDirection, into: 0)
      try compare(NFT_CMP_EQ, [direction.rawValue])
    case .chance(let share): try chance(share)
    case .tcpFlags(let flags, let mask, let comparison):
      try require(transport: 6)
      try loadPayload(NftPayloadPlace(base: 2, offset: 13), length: 1, into: 0)
      try bitwise([mask.rawValue])
      try compare(comparison == .equal ? NFT_CMP_EQ : NFT_CMP_NEQ, [flags.rawValue])
    }
  }

  /// A random number below a million, turned into network byte order, in which comparisons by size are made.
  private mutating func chance(_ share: UInt32) throws(KernelError) {
    try add("numgen") { generator in
      nftnl_expr_set_u32(generator, UInt16(NFTNL_EXPR_NG_DREG), firstRegister)
      nftnl_expr_set_u32(generator, UInt16(NFTNL_EXPR_NG_MODULUS), 1_000_000)
      nftnl_expr_set_u32(generator, UInt16(NFTNL_EXPR_NG_TYPE), UInt32(NFT_NG_RANDOM.rawValue))
    }
    try add("byteorder") { order in
      nftnl_expr_set_u32(order, UInt16(NFTNL_EXPR_BYTEORDER_DREG), firstRegister)
      nftnl_expr_set_u32(order, UInt16(NFTNL_EXPR_BYTEORDER_SREG), firstRegister)
      nftnl_expr_set_u32(order, UInt16(NFTNL_EXPR_BYTEORDER_OP), UInt32(NFT_BYTEORDER_HTON.rawValue))
      nftnl_expr_set_u32(order, UInt16(NFTNL_EXPR_BYTEORDER_LEN), 4)
      nftnl_expr_set_u32(order, UInt16(NFTNL_EXPR_BYTEORDER_SIZE), 4)
    }
    try compare(NFT_CMP_LT, octets(share.bigEndian))
  }

  /// Looks a field, or a concatenation, up in a set.
  mutating func lookUp(
    _ fields: [NftField], in set: NftSetReference, _ comparison: NftComparison
  ) throws(KernelError) {
    try load(fields)
    try lookUp(set, comparison, into: nil)
  }

  private mutating func lookUp(
    _ set: NftSetReference, _ comparison: NftComparison, into register: UInt32?
  ) throws(KernelError) {
    guard (1...255).contains(set.name.utf8.count) else { throw refusal("a set's name is not 1 to 255 octets") }
    try add("lookup") { lookup in
      nftnl_expr_set_u32(lookup, UInt16(NFTNL_EXPR_LOOKUP_SREG), firstRegister)
      nftnl_expr_set_str(lookup, UInt16(NFTNL_EXPR_LOOKUP_SET), set.name)
      if let identifier = set.identifier {
        nftnl_expr_set_u32(lookup, UInt16(NFTNL_EXPR_LOOKUP_SET_ID), identifier)
      }
      if let register { nftnl_expr_set_u32(lookup, UInt16(NFTNL_EXPR_LOOKUP_DREG), register) }
      if comparison == .notEqual {
        nftnl_expr_set_u32(lookup, UInt16(NFTNL_EXPR_LOOKUP_FLAGS), UInt32(NFT_LOOKUP_F_INV.rawValue))
      }
    }
  }

  private mutating func compare(
    _ field: NftField, _ comparison: NftComparison, _ value: NftValue
  ) throws(KernelError) {
    let test = comparison == .equal ? NFT_CMP_EQ : NFT_CMP_NEQ
    if case .interface(let name) = value, field.type == .interfaceName, name.hasSuffix("*") {
      let prefix = [UInt8](name.utf8.dropLast())
      guard (1...15).contains(prefix.count) else { throw refusal("\(name) is no pattern of a link's name") }
      try load(field, into: 0)
      try compare(test, prefix)
      return
    }
    guard let bounds = value.bounds(field.type) else {
      throw refusal("\(value.rendered) is no value of \(field.rendered)")
    }
    if bounds.lower == bounds.upper {
      try load(field, into: 0)
      try compare(test, bounds.lower)
      if comparison == .equal { learn(field, value) }
    } else if case .prefix(let prefix) = value {
      try compare(field, test, prefix, bounds.lower)
    } else if comparison == .equal {
      try load(field, into: 0)
      try compare(NFT_CMP_GTE, bounds.lower)
      try compare(NFT_CMP_LTE, bounds.upper)
    } else {
      try load(field, into: 0)
      try add("range") { range in
        nftnl_expr_set_u32(range, UInt16(NFTNL_EXPR_RANGE_SREG), firstRegister)
        nftnl_expr_set_u32(range, UInt16(NFTNL_EXPR_RANGE_OP), UInt32(NFT_RANGE_NEQ.rawValue))
        nftnl_expr_set(range, UInt16(NFTNL_EXPR_RANGE_FROM_DATA), bounds.lower, UInt32(bounds.lower.count))
        nftnl_expr_set(range, UInt16(NFTNL_EXPR_RANGE_TO_DATA), bounds.upper, UInt32(bounds.upper.count))
      }
    }
  }

  private mutating func compare(
    _ field: NftField, _ test: nft_cmp_ops, _ prefix: IPPrefix, _ network: [UInt8]
  ) throws(KernelError) {
    // A prefix of whole octets is read as a shorter field, which spares the mask.
    if prefix.length > 0, prefix.length % 8 == 0, let place = field.place {
      try require(field)
      try loadPayload(place, length: prefix.length / 8, into: 0)
      try compare(test, [UInt8](network.prefix(prefix.length / 8)))
      return
    }
    try load(field, into: 0)
    let mask = (0..<network.count).map { index in
      UInt8(truncatingIfNeeded: 0xFF00 >> max(0, min(8, prefix.length - index * 8)))
    }
    try bitwise(mask)
    try compare(test, network)
  }

  private mutating func mask(_ field: NftField, _ bits: UInt32) throws(KernelError) {
    try load(field, into: 0)
    try bitwise(octets(bits))
    try compare(NFT_CMP_NEQ, octets(UInt32(0)))
  }

  private mutating func bitwise(_ mask: [UInt8]) throws(KernelError) {
    let nothing = [UInt8](repeating: 0, count: mask.count)
    try add("bitwise") { bitwise in
      nftnl_expr_set_u32(bitwise, UInt16(NFTNL_EXPR_BITWISE_SREG), firstRegister)
      nftnl_expr_set_u32(bitwise, UInt16(NFTNL_EXPR_BITWISE_DREG), firstRegister)
      nftnl_expr_set_u32(bitwise, UInt16(NFTNL_EXPR_BITWISE_LEN), UInt32(mask.count))
      nftnl_expr_set(bitwise, UInt16(NFTNL_EXPR_BITWISE_MASK), mask, UInt32(mask.count))
      nftnl_expr_set(bitwise, UInt16(NFTNL_EXPR_BITWISE_XOR), nothing, UInt32(nothing.count))
    }
  }

  private mutating func compare(_ test: nft_cmp_ops, _ data: [UInt8]) throws(KernelError) {
    try add("cmp") { cmp in
      nftnl_expr_set_u32(cmp, UInt16(NFTNL_EXPR_CMP_SREG), firstRegister)
      nftnl_expr_set_u32(cmp, UInt16(NFTNL_EXPR_CMP_OP), UInt32(test.rawValue))
      nftnl_expr_set(cmp, UInt16(NFTNL_EXPR_CMP_DATA), data, UInt32(data.count))
    }
  }

  // MARK: Fields

  /// Loads a field, or the fields of a concatenation one after another.
  mutating func load(_ fields: [NftField]) throws(KernelError) {
    guard !fields.isEmpty, fields.map(\.type).length <= 64 else {
      throw refusal("a concatenation is empty or over 64 octets")
    }
    for field in fields { try require(field) }
    var word = 0
    for field in fields {
      try loadBare(field, into: word)
      word += field.type.paddedLength / 4
    }
  }

  mutating func load(_ field: NftField, into word: Int) throws(KernelError) {
    try require(field)
    try loadBare(field, into: word)
  }

  /// Asks whether the packet has the field, unless the rule has asked that already.
  private mutating func require(_ field: NftField) throws(KernelError) {
    if field.type == .hardwareAddress || field.type == .etherType, family != .bridge, family != .netdev {
      guard family == .inet, field == .etherSource || field == .etherDestination else {
        throw refusal("\(field.rendered) is for tables of family bridge or netdev")
      }
      try requireEthernet()
    }
    if field == .originalDestinationPort, knownTransport == nil {
      // The kernel would not mind, but nft cannot read the rule then.
      throw refusal("\(field.rendered) needs a transport protocol matched before it")
    }
    if let needed = field.neededFamily {
      if !family.isMixed, needed != family {
        throw refusal("\(field.rendered) in a table of family \(family.rendered)")
      }
      try require(needed)
    }
    if let needed = field.neededTransport { try require(transport: needed) }
    if field.needsARP { try requireARP(field) }
  }

  /// Asks whether the link that the packet came in by has such addresses (ARPHRD_ETHER).
  private mutating func requireEthernet() throws(KernelError) {
    guard !isKnownAsEthernet else { return }
    try loadMeta(NFT_META_IFTYPE, into: 0)
    try compare(NFT_CMP_EQ, octets(UInt16(1)))
    isKnownAsEthernet = true
  }

  private mutating func requireARP(_ field: NftField) throws(KernelError) {
    guard family == .bridge || family == .netdev else {
      throw refusal("\(field.rendered) is for tables of family bridge or netdev")
    }
    guard !isKnownAsARP else { return }
    try loadMeta(NFT_META_PROTOCOL, into: 0)
    try compare(NFT_CMP_EQ, [0x08, 0x06])
    isKnownAsARP = true
  }

  /// Asks whether the packet is of IPv4 or of IPv6, if the table sees both.
  mutating func require(_ needed: NftFamily) throws(KernelError) {
    guard family.isMixed, knownFamily != needed else { return }
    if family == .inet {
      try loadMeta(NFT_META_NFPROTO, into: 0)
      try compare(NFT_CMP_EQ, [needed.rawValue])
    } else {
      // Below the network layer there is the EtherType instead: 0800 and 86dd.
      try loadMeta(NFT_META_PROTOCOL, into: 0)
      try compare(NFT_CMP_EQ, needed == .ip ? [0x08, 0x00] : [0x86, 0xDD])
    }
    knownFamily = needed
  }

  mutating func require(transport: UInt8) throws(KernelError) {
    guard knownTransport != transport else { return }
    try loadMeta(NFT_META_L4PROTO, into: 0)
    try compare(NFT_CMP_EQ, [transport])
    knownTransport = transport
  }

  private mutating func learn(_ field: NftField, _ value: NftValue) {
    switch (field, value) {
    case (.networkFamily, .family(let family)): knownFamily = family
    case (.transportProtocol, .transport(let transport)): knownTransport = transport
    default: break
    }
  }

  private mutating func loadBare(_ field: NftField, into word: Int) throws(KernelError) {
    switch field {
    case .inputInterface: try loadMeta(NFT_META_IIFNAME, into: word)
    case .outputInterface: try loadMeta(NFT_META_OIFNAME, into: word)
    case .networkFamily: try loadMeta(NFT_META_NFPROTO, into: word)
    case .transportProtocol: try loadMeta(NFT_META_L4PROTO, into: word)
    case .mark: try loadMeta(NFT_META_MARK, into: word)
    case .packetType: try loadMeta(NFT_META_PKTTYPE, into: word)
    case .connectionState: try loadConnection(NFT_CT_STATE, into: word)
    case .connectionStatus: try loadConnection(NFT_CT_STATUS, into: word)
    case .connectionDirection: try loadConnection(NFT_CT_DIRECTION, into: word)
    case .originalDestination: try loadConnection(NFT_CT_DST_IP, into: word, .original)
    case .originalDestination6: try loadConnection(NFT_CT_DST_IP6, into: word, .original)
    case .originalDestinationPort: try loadConnection(NFT_CT_PROTO_DST, into: word, .original)
    case .destinationType: try loadAddressType(UInt32(NFTA_FIB_F_DADDR.rawValue), into: word)
    case .sourceType: try loadAddressType(UInt32(NFTA_FIB_F_SADDR.rawValue), into: word)
    default:
      guard let place = field.place else { throw refusal("\(field.rendered) cannot be loaded") }
      try loadPayload(place, length: field.type.length, into: word)
    }
  }

  private mutating func loadMeta(_ key: nft_meta_keys, into word: Int) throws(KernelError) {
    try add("meta") { meta in
      nftnl_expr_set_u32(meta, UInt16(NFTNL_EXPR_META_KEY), UInt32(key.rawValue))
      nftnl_expr_set_u32(meta, UInt16(NFTNL_EXPR_META_DREG), register(word))
    }
  }

  private mutating func loadConnection(
    _ key: nft_ct_keys, into word: Int, _ direction: NftDirection? = nil
  ) throws(KernelError) {
    try add("ct") { ct in
      nftnl_expr_set_u32(ct, UInt16(NFTNL_EXPR_CT_KEY), UInt32(key.rawValue))
      nftnl_expr_set_u32(ct, UInt16(NFTNL_EXPR_CT_DREG), register(word))
      if let direction { nftnl_expr_set_u8(ct, UInt16(NFTNL_EXPR_CT_DIR), direction.rawValue) }
    }
  }

  private mutating func loadAddressType(_ flags: UInt32, into word: Int) throws(KernelError) {
    try add("fib") { fib in
      nftnl_expr_set_u32(fib, UInt16(NFTNL_EXPR_FIB_FLAGS), flags)
      nftnl_expr_set_u32(fib, UInt16(NFTNL_EXPR_FIB_RESULT), UInt32(NFT_FIB_RESULT_ADDRTYPE.rawValue))
      nftnl_expr_set_u32(fib, UInt16(NFTNL_EXPR_FIB_DREG), register(word))
    }
  }

  private mutating func loadPayload(_ place: NftPayloadPlace, length: Int, into word: Int) throws(KernelError) {
    try add("payload") { payload in
      nftnl_expr_set_u32(payload, UInt16(NFTNL_EXPR_PAYLOAD_BASE), place.base)
      nftnl_expr_set_u32(payload, UInt16(NFTNL_EXPR_PAYLOAD_OFFSET), place.offset)
      nftnl_expr_set_u32(payload, UInt16(NFTNL_EXPR_PAYLOAD_LEN), UInt32(length))
      nftnl_expr_set_u32(payload, UInt16(NFTNL_EXPR_PAYLOAD_DREG), register(word))
    }
  }

  // MARK: Maps

  /// Looks a concatenation up in a map, whose data goes to the registers from the first on, or decides.
  mutating func map(_ fields: [NftField], through name: String, decides: Bool) throws(KernelError) {
    try load(fields)
    try lookUp(
      NftSetReference(name: name), .equal, into: decides ? UInt32(NFT_REG_VERDICT.rawValue) : firstRegister)
  }
}

/// NFT_REG_1, where single values and concatenations begin.
let firstRegister: UInt32 = 1

/// The register that begins at a word of four octets: NFT_REG_1 to 4 hold four words each, NFT_REG32_00 (8) and on are words.
func register(_ word: Int) -> UInt32 {
  word % 4 == 0 ? firstRegister + UInt32(word / 4) : 8 + UInt32(word)
}

/// The place of a field in a packet.
struct NftPayloadPlace {
  /// `enum nft_payload_bases`: 0 is the link layer's header, 1 the network's, 2 the transport's.
  var base: UInt32
  var offset: UInt32
}

extension NftField {
  /// The place of the field in a packet; nil if it is not of the packet.
  var place: NftPayloadPlace? {
    switch self {
    case .etherDestination: NftPayloadPlace(base: 0, offset: 0)
    case .etherSource: NftPayloadPlace(base: 0, offset: 6)
    case .etherType: NftPayloadPlace(base: 0, offset: 12)
    case .arpSenderHardware: NftPayloadPlace(base: 1, offset: 8)
    case .arpSenderAddress: NftPayloadPlace(base: 1, offset: 14)
    case .neighbourTarget: NftPayloadPlace(base: 2, offset: 8)
    // Behind eight octets of the error's own, at 16 or 24 of the quoted header.
    case .quotedDestination: NftPayloadPlace(base: 2, offset: 24)
    case .quotedDestination6: NftPayloadPlace(base: 2, offset: 32)
    case .tunnelNumber: NftPayloadPlace(base: 2, offset: 12)
    case .ipSource: NftPayloadPlace(base: 1, offset: 12)
    case .ipDestination: NftPayloadPlace(base: 1, offset: 16)
    case .ip6Source: NftPayloadPlace(base: 1, offset: 8)
    case .ip6Destination: NftPayloadPlace(base: 1, offset: 24)
    case .hopLimit: NftPayloadPlace(base: 1, offset: 7)
    case .sourcePort, .icmpType, .icmpv6Type: NftPayloadPlace(base: 2, offset: 0)
    case .destinationPort: NftPayloadPlace(base: 2, offset: 2)
    default: nil
    }
  }
}
