import CNetfilter
import Kernel
import Netfilter
import SystemPackage

extension NftTransaction {
  /// All the messages, from the one that opens the batch to the one that closes it, without sequence numbers.
  ///
  /// - Parameter generation: the state that they are made for; nil for any.
  /// - Throws: EINVAL for what cannot be expressed.
  func encode(at generation: UInt32? = nil) throws(KernelError) -> NftMessages {
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: NftEncoder.scratchSize, alignment: 16)
    defer { scratch.deallocate() }
    var encoder = NftEncoder(scratch: scratch)
    encoder.beginBatch(at: generation)
    for step in steps {
      switch step {
      case .declare(let name, let comment): try encoder.declare(name, comment: comment)
      case .delete(let name): try encoder.delete(name)
      case .add(let table): try encoder.add(table)
      case .insert(let rule, let chain, let table):
        try encoder.add(rule, number: 1, to: chain, in: table, isFirst: true)
      case .deleteRule(let handle, let chain, let table):
        try encoder.delete(rule: handle, of: chain, in: table)
      case .addElements(let set, let table):
        try encoder.add(set.encodedElements(), to: NftSetDeclaration(set), in: table)
      case .deleteElements(let set, let table):
        try encoder.delete(set.encodedElements(), from: NftSetDeclaration(set), in: table)
      case .addMapElements(let map, let table):
        try encoder.add(map.encodedElements(), to: NftSetDeclaration(map), in: table)
      case .deleteMapElements(let map, let table):
        try encoder.delete(map.encodedElements(), from: NftSetDeclaration(map), in: table)
      }
    }
    encoder.endBatch()
    return encoder.messages
  }
}
