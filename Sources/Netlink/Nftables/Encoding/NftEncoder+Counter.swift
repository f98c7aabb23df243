import CNetfilter
import Kernel
import Netfilter
import SystemPackage

extension NftEncoder {
  /// Declares a counter with what it begins from.
  mutating func add(_ counter: NftCounter, to table: NftTableName) throws(KernelError) {
    try check(name: counter.name, of: "counter")
    let object = try nftnl(nftnl_obj_alloc())
    defer { nftnl_obj_free(object) }
    nftnl_obj_set_str(object, UInt16(NFTNL_OBJ_TABLE), table.name)
    nftnl_obj_set_str(object, UInt16(NFTNL_OBJ_NAME), counter.name)
    nftnl_obj_set_u32(object, UInt16(NFTNL_OBJ_TYPE), UInt32(NFT_OBJECT_COUNTER))
    nftnl_obj_set_u64(object, UInt16(NFTNL_OBJ_CTR_PKTS), counter.packets)
    nftnl_obj_set_u64(object, UInt16(NFTNL_OBJ_CTR_BYTES), counter.bytes)
    append(
      "add", "counter \(counter.name) to table \(table)", type: Int(NFT_MSG_NEWOBJ.rawValue), flags: NLM_F_CREATE,
      family: table.family
    ) { nftnl_obj_nlmsg_build_payload($0, object) }
  }
}
