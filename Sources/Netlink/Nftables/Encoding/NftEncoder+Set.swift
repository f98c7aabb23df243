import CNetfilter
import Kernel
import Netfilter
import SystemPackage

/// The declaration of a set or a map, between which the kernel tells only by a flag.
struct NftSetDeclaration {
  var name: String
  var key: [NftType]
  var data: NftMapData?
  var isInterval: Bool
  var comment: String?
  var growth: NftSetGrowth?
  var isAnonymous = false
  var elementCount: Int?
  var identifier: UInt32?

  init(_ set: NftSet) {
    name = set.name
    key = set.key
    isInterval = set.isInterval
    growth = set.growth
    comment = set.comment
  }

  init(_ map: NftMap) {
    name = map.name
    key = map.key
    data = map.data
    isInterval = map.isInterval
    comment = map.comment
  }

  /// As errors name it.
  var subject: String { (data == nil ? "set " : "map ") + (isAnonymous ? "of a rule" : name) }

  var flags: UInt32 {
    var flags: UInt32 = 0
    if isAnonymous { flags |= UInt32(NFT_SET_ANONYMOUS.rawValue | NFT_SET_CONSTANT.rawValue) }
    if isInterval { flags |= UInt32(NFT_SET_INTERVAL.rawValue) }
    if isInterval, key.count > 1 { flags |= UInt32(NFT_SET_CONCAT.rawValue) }
    if data != nil { flags |= UInt32(NFT_SET_MAP.rawValue) }
    if let growth {
      flags |= UInt32(NFT_SET_EVAL.rawValue)
      if growth.expires { flags |= UInt32(NFT_SET_TIMEOUT.rawValue) }
    }
    return flags
  }
}

extension [NftType] {
  /// The number nft knows a concatenation by: six bits for each type.
  var code: UInt32 { reduce(0) { $0 << 6 | $1.code } }
  /// Octets of a value: fields of a concatenation fill whole registers.
  var length: Int { count == 1 ? self[0].length : reduce(0) { $0 + $1.paddedLength } }
  /// nft's `enum byteorder`, by which it knows how to print: 1 is the machine's, 2 the network's, 0 neither.
  var byteOrder: UInt32 { count == 1 ? (self[0].isHostOrder ? 1 : 2) : 0 }
}

extension NftEncoder {
  /// Declares a set and returns its number within the transaction.
  @discardableResult
  mutating func declare(_ set: NftSetDeclaration, in table: NftTableName) throws(KernelError) -> UInt32 {
    try check(name: set.name, of: "set")
    try check(comment: set.comment, of: set.subject)
    // Sixteen registers of four octets.
    guard !set.key.isEmpty, set.key.length <= 64 else {
      throw KernelError("add", set.subject, errno: .invalidArgument, detail: "its key is empty or over 64 octets")
    }
    let object = try nftnl(nftnl_set_alloc())
    defer { nftnl_set_free(object) }
    let identifier = takeSetID()
    nftnl_set_set_str(object, UInt16(NFTNL_SET_TABLE.rawValue), table.name)
    nftnl_set_set_str(object, UInt16(NFTNL_SET_NAME.rawValue), set.name)
    nftnl_set_set_u32(object, UInt16(NFTNL_SET_FAMILY.rawValue), UInt32(table.family.rawValue))
    nftnl_set_set_u32(object, UInt16(NFTNL_SET_ID.rawValue), identifier)
    nftnl_set_set_u32(object, UInt16(NFTNL_SET_FLAGS.rawValue), set.flags)
    nftnl_set_set_u32(object, UInt16(NFTNL_SET_KEY_TYPE.rawValue), set.key.code)
    nftnl_set_set_u32(object, UInt16(NFTNL_SET_KEY_LEN.rawValue), UInt32(set.key.length))
    if let count = set.growth?.size ?? set.elementCount.map(UInt32.init(truncatingIfNeeded:)) {
      nftnl_set_set_u32(object, UInt16(NFTNL_SET_DESC_SIZE.rawValue), count)
    }
    // The kernel wants to know the fields where each may be a range, and refuses to hear of them where none may.
    if set.isInterval, set.key.count > 1 {
      let lengths = set.key.map { UInt8($0.length) }
      nftnl_set_set_data(object, UInt16(NFTNL_SET_DESC_CONCAT.rawValue), lengths, UInt32(lengths.count))
    }
    var dataOrder: UInt32 = 0
    switch set.data {
    case .verdict:
      nftnl_set_set_u32(object, UInt16(NFTNL_SET_DATA_TYPE.rawValue), UInt32(NFT_DATA_VERDICT.rawValue))
      nftnl_set_set_u32(object, UInt16(NFTNL_SET_DATA_LEN.rawValue), 16)
    case .values(let types):
      guard !types.isEmpty, types.length <= 64 else {
        throw KernelError("add", set.subject, errno: .invalidArgument, detail: "its data is empty or over 64 octets")
      }
      nftnl_set_set_u32(object, UInt16(NFTNL_SET_DATA_TYPE.rawValue), types.code)
      nftnl_set_set_u32(object, UInt16(NFTNL_SET_DATA_LEN.rawValue), UInt32(types.length))
      dataOrder = types.byteOrder
    case nil: break
    }
    withUserData { buffer in
      nftnl_udata_put_u32(buffer, UInt8(NFTNL_UDATA_SET_KEYBYTEORDER.rawValue), set.key.byteOrder)
      if set.data != nil {
        nftnl_udata_put_u32(buffer, UInt8(NFTNL_UDATA_SET_DATABYTEORDER.rawValue), dataOrder)
      }
      if let expression = set.key.typeOf {
        nftnl_udata_put(
          buffer, UInt8(NFTNL_UDATA_SET_KEY_TYPEOF.rawValue), UInt32(expression.count), expression)
      }
      if let comment = set.comment {
        nftnl_udata_put_strz(buffer, UInt8(NFTNL_UDATA_SET_COMMENT.rawValue), comment)
      }
    } _: {
      nftnl_set_set_data(object, UInt16(NFTNL_SET_USERDATA.rawValue), $0, $1)
    }
    append(
      "add", "\(set.subject) to table \(table)", type: Int(NFT_MSG_NEWSET.rawValue), flags: NLM_F_CREATE,
      family: table.family
    ) { nftnl_set_nlmsg_build_payload($0, object) }
    return identifier
  }

  mutating func add(
    _ elements: [NftEncodedElement]?, to set: NftSetDeclaration, in table: NftTableName
  ) throws(KernelError) {
    try send(elements, of: set, in: table, "add elements to", NFT_MSG_NEWSETELEM, flags: NLM_F_CREATE)
  }

  mutating func delete(
    _ elements: [NftEncodedElement]?, from set: NftSetDeclaration, in table: NftTableName
  ) throws(KernelError) {
    try send(elements, of: set, in: table, "delete elements of", NFT_MSG_DELSETELEM, flags: 0)
  }

  /// Spreads elements over as many messages as they need: the list is an attribute, which ends at 65,535 octets.
  private mutating func send(
    _ elements: [NftEncodedElement]?, of set: NftSetDeclaration, in table: NftTableName, _ action: String,
    _ type: nf_tables_msg_types, flags: Int32
  ) throws(KernelError) {
    guard let elements else {
      throw KernelError(
        action, "\(set.subject) of table \(table)", errno: .invalidArgument,
        detail: "an element is not of the set's type, or its comment is over 127 octets")
    }
    var rest = elements[...]
    while !rest.isEmpty {
      var size = 0
      let part = rest.prefix { element in
        size += element.size
        return size <= elementListSize
      }
      rest = rest.dropFirst(max(1, part.count))
      let object = try nftnl(nftnl_set_alloc())
      defer { nftnl_set_free(object) }
      nftnl_set_set_str(object, UInt16(NFTNL_SET_TABLE.rawValue), table.name)
      nftnl_set_set_str(object, UInt16(NFTNL_SET_NAME.rawValue), set.name)
      if let identifier = set.identifier {
        nftnl_set_set_u32(object, UInt16(NFTNL_SET_ID.rawValue), identifier)
      }
      for element in part { try element.add(to: object) }
      append(
        action, "\(set.subject) of table \(table)", type: Int(type.rawValue), flags: flags, family: table.family
      ) { nftnl_set_elems_nlmsg_build_payload($0, object) }
    }
  }
}

/// The size of the element list in one message, by ``NftEncodedElement/size``, which is never less than the true size.
private let elementListSize = 48 << 10
