import CNetfilter

/// Changes to nftables that the kernel makes all at once or not at all.
public struct NftTransaction: Hashable, Sendable {
  package enum Step: Hashable, Sendable {
    case declare(NftTableName, comment: String?)
    case delete(NftTableName)
    case add(NftTable)
    case insert(NftRule, chain: String, NftTableName)
    case deleteRule(handle: UInt64, chain: String, NftTableName)
    case addElements(NftSet, NftTableName)
    case deleteElements(NftSet, NftTableName)
    case addMapElements(NftMap, NftTableName)
    case deleteMapElements(NftMap, NftTableName)
  }

  package private(set) var steps: [Step] = []

  public init() {}

  public var isEmpty: Bool { steps.isEmpty }

  /// Adds a table with all that is in it. What is there of it stays, and rules come after those that are there.
  public mutating func add(_ table: NftTable) {
    steps.append(.add(table))
  }

  /// Puts a table in the place of the one of its name, if there is one: packets meet the one or the other, never neither.
  public mutating func replace(_ table: NftTable) {
    deleteIfPresent(table.name, comment: table.comment)
    add(table)
  }

  /// Deletes a table that must be there, else the transaction fails with ENOENT.
  public mutating func delete(_ table: NftTableName) {
    steps.append(.delete(table))
  }

  /// Deletes a table if it exists. The table is declared first, which does not change an existing one.
  ///
  /// If there is none, others may see the declared table for a moment. The kernel makes the changes of a transaction
  /// visible one after the other (nf_tables_commit). So the declaration carries its owner's comment.
  public mutating func deleteIfPresent(_ table: NftTableName, comment: String?) {
    steps.append(.declare(table, comment: comment))
    steps.append(.delete(table))
  }

  /// Puts a rule before all others of a chain that is there.
  public mutating func insert(_ rule: NftRule, atTheHeadOf chain: String, in table: NftTableName) {
    steps.append(.insert(rule, chain: chain, table))
  }

  /// Deletes one rule by its number. One that is not there fails the transaction with ENOENT.
  public mutating func deleteRule(_ handle: UInt64, of chain: String, in table: NftTableName) {
    steps.append(.deleteRule(handle: handle, chain: chain, table))
  }

  /// Adds the elements of a value to the set of its name, which the value must describe as it is.
  public mutating func addElements(of set: NftSet, in table: NftTableName) {
    steps.append(.addElements(set, table))
  }

  /// Deletes from a set the elements of a value. One that is not there fails the transaction with ENOENT.
  public mutating func deleteElements(of set: NftSet, in table: NftTableName) {
    steps.append(.deleteElements(set, table))
  }

  /// Adds the elements of a value to the map of its name, which the value must describe as it is.
  public mutating func addElements(of map: NftMap, in table: NftTableName) {
    steps.append(.addMapElements(map, table))
  }

  /// Deletes from a map the elements of a value. One that is not there fails the transaction with ENOENT.
  public mutating func deleteElements(of map: NftMap, in table: NftTableName) {
    steps.append(.deleteMapElements(map, table))
  }
}
