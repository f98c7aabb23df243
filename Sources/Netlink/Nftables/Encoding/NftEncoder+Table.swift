import CNetfilter
import Kernel
import Netfilter
import SystemPackage

extension NftEncoder {
  /// Declares a table, which may be there.
  mutating func declare(_ name: NftTableName, comment: String?) throws(KernelError) {
    try check(name: name.name, of: "table")
    try check(comment: comment, of: "table \(name)")
    let object = try nftnl(nftnl_table_alloc())
    defer { nftnl_table_free(object) }
    nftnl_table_set_str(object, UInt16(NFTNL_TABLE_NAME.rawValue), name.name)
    nftnl_table_set_u32(object, UInt16(NFTNL_TABLE_FAMILY.rawValue), UInt32(name.family.rawValue))
    if let comment {
      withUserData {
        nftnl_udata_put_strz($0, UInt8(NFTNL_UDATA_TABLE_COMMENT.rawValue), comment)
      } _: {
        nftnl_table_set_data(object, UInt16(NFTNL_TABLE_USERDATA.rawValue), $0, $1)
      }
    }
    append("add", "table \(name)", type: Int(NFT_MSG_NEWTABLE.rawValue), flags: NLM_F_CREATE, family: name.family) {
      nftnl_table_nlmsg_build_payload($0, object)
    }
  }

  mutating func delete(_ name: NftTableName) throws(KernelError) {
    try check(name: name.name, of: "table")
    let object = try nftnl(nftnl_table_alloc())
    defer { nftnl_table_free(object) }
    nftnl_table_set_str(object, UInt16(NFTNL_TABLE_NAME.rawValue), name.name)
    append("delete", "table \(name)", type: Int(NFT_MSG_DELTABLE.rawValue), flags: 0, family: name.family) {
      nftnl_table_nlmsg_build_payload($0, object)
    }
  }

  /// Declares a table and all that is in it: chains first, since verdicts name them, then sets and maps, since rules do.
  mutating func add(_ table: NftTable) throws(KernelError) {
    try declare(table.name, comment: table.comment)
    for chain in table.chains { try add(chain, to: table.name) }
    for counter in table.counters { try add(counter, to: table.name) }
    for set in table.sets {
      let declaration = NftSetDeclaration(set)
      try declare(declaration, in: table.name)
      try add(set.encodedElements(), to: declaration, in: table.name)
    }
    for map in table.maps {
      let declaration = NftSetDeclaration(map)
      try declare(declaration, in: table.name)
      try add(map.encodedElements(), to: declaration, in: table.name)
    }
    for chain in table.chains {
      for (index, rule) in chain.rules.enumerated() {
        try add(rule, number: index + 1, to: chain.name, in: table.name)
      }
    }
  }

  mutating func add(_ chain: NftChain, to table: NftTableName) throws(KernelError) {
    try check(name: chain.name, of: "chain")
    try check(comment: chain.comment, of: "chain \(chain.name)")
    let object = try nftnl(nftnl_chain_alloc())
    defer { nftnl_chain_free(object) }
    nftnl_chain_set_str(object, UInt16(NFTNL_CHAIN_TABLE.rawValue), table.name)
    nftnl_chain_set_str(object, UInt16(NFTNL_CHAIN_NAME.rawValue), chain.name)
    if let base = chain.base {
      nftnl_chain_set_str(object, UInt16(NFTNL_CHAIN_TYPE.rawValue), base.type.rawValue)
      nftnl_chain_set_u32(object, UInt16(NFTNL_CHAIN_HOOKNUM.rawValue), base.hook.number)
      nftnl_chain_set_s32(object, UInt16(NFTNL_CHAIN_PRIO.rawValue), base.priority)
      nftnl_chain_set_u32(object, UInt16(NFTNL_CHAIN_POLICY.rawValue), base.policy.rawValue)
      if let device = base.hook.device {
        try check(name: device, of: "link")
        nftnl_chain_set_str(object, UInt16(NFTNL_CHAIN_DEV.rawValue), device)
      }
    }
    if let comment = chain.comment {
      withUserData {
        nftnl_udata_put_strz($0, UInt8(NFTNL_UDATA_CHAIN_COMMENT.rawValue), comment)
      } _: {
        nftnl_chain_set_data(object, UInt16(NFTNL_CHAIN_USERDATA.rawValue), $0, $1)
      }
    }
    append(
      "add", "chain \(chain.name) to table \(table)", type: Int(NFT_MSG_NEWCHAIN.rawValue), flags: NLM_F_CREATE,
      family: table.family
    ) { nftnl_chain_nlmsg_build_payload($0, object) }
  }

  mutating func delete(rule handle: UInt64, of chain: String, in table: NftTableName) throws(KernelError) {
    try check(name: chain, of: "chain")
    let object = try nftnl(nftnl_rule_alloc())
    defer { nftnl_rule_free(object) }
    nftnl_rule_set_str(object, UInt16(NFTNL_RULE_TABLE.rawValue), table.name)
    nftnl_rule_set_str(object, UInt16(NFTNL_RULE_CHAIN.rawValue), chain)
    nftnl_rule_set_u64(object, UInt16(NFTNL_RULE_HANDLE.rawValue), handle)
    append(
      "delete", "rule \(handle) of chain \(chain) of table \(table)", type: Int(NFT_MSG_DELRULE.rawValue), flags: 0,
      family: table.family
    ) { nftnl_rule_nlmsg_build_payload($0, object) }
  }

  mutating func add(
    _ rule: NftRule, number: Int, to chain: String, in table: NftTableName, isFirst: Bool = false
  ) throws(KernelError) {
    let subject = "rule \(number) to chain \(chain) of table \(table)"
    try check(name: chain, of: "chain")
    try check(comment: rule.comment, of: subject)
    let object = try nftnl(nftnl_rule_alloc())
    defer { nftnl_rule_free(object) }
    nftnl_rule_set_str(object, UInt16(NFTNL_RULE_TABLE.rawValue), table.name)
    nftnl_rule_set_str(object, UInt16(NFTNL_RULE_CHAIN.rawValue), chain)
    if let comment = rule.comment {
      withUserData {
        nftnl_udata_put_strz($0, UInt8(NFTNL_UDATA_RULE_COMMENT.rawValue), comment)
      } _: {
        nftnl_rule_set_data(object, UInt16(NFTNL_RULE_USERDATA.rawValue), $0, $1)
      }
    }
    var expressions = NftExpressions(rule: object, family: table.family, subject: subject)
    for match in rule.matches {
      if case .anyOf(let field, let comparison, let values) = match {
        let set = try addAnonymousSet(of: field, values, in: table, subject: subject)
        try expressions.lookUp([field], in: set, comparison)
      } else {
        try expressions.add(match)
      }
    }
    for statement in rule.statements { try expressions.add(statement) }
    append(
      "add", subject, type: Int(NFT_MSG_NEWRULE.rawValue), flags: isFirst ? NLM_F_CREATE : NLM_F_CREATE | NLM_F_APPEND,
      family: table.family
    ) { nftnl_rule_nlmsg_build_payload($0, object) }
  }

  private mutating func addAnonymousSet(
    of field: NftField, _ values: [NftValue], in table: NftTableName, subject: String
  ) throws(KernelError) -> NftSetReference {
    let set = NftSet(
      "__set%d", key: [field.type], isInterval: values.contains(where: \.isInterval),
      elements: values.map { NftElement([$0]) })
    var declaration = NftSetDeclaration(set)
    declaration.isAnonymous = true
    declaration.elementCount = values.count
    let identifier = try declare(declaration, in: table)
    declaration.identifier = identifier
    try add(set.encodedElements(), to: declaration, in: table)
    return NftSetReference(name: set.name, identifier: identifier)
  }
}

/// A set as a rule of the same transaction names it.
struct NftSetReference {
  var name: String
  /// The number a set without a name has within the transaction.
  var identifier: UInt32?
}
