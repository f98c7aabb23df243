import Kernel
import Netfilter
import Netlink
import Synchronization

/// The netlink socket over which a stack's table is written and tracked connections are forgotten, kept open from the first use
/// on.
///
/// Closing a socket waits for an RCU grace period of some 20 ms, in which the kernel frees what the last transaction
/// replaced (nft_rcv_nl_event in nf_tables_api.c). So it is closed when the supervisor ends, and nobody waits.
package final class NetfilterConnection: Sendable {
  private final class Connection: Sendable {
    private let socket: Mutex<NetlinkSocket>

    init() throws(KernelError) {
      socket = Mutex(try NetlinkSocket(.netfilter))
    }

    func commit(_ transaction: NftTransaction) throws(KernelError) {
      try socket.withLock { socket throws(KernelError) in try socket.commit(transaction) }
    }

    func commit(
      _ transaction: NftTransaction, at base: UInt32
    ) throws(KernelError) -> UInt32? {
      try socket.withLock { socket throws(KernelError) in
        try socket.commit(transaction, at: base)
        return try socket.generation()
      }
    }

    func generation() throws(KernelError) -> UInt32? {
      try socket.withLock { socket throws(KernelError) in try socket.generation() }
    }

    func tables() throws(KernelError) -> [NftTableSummary] {
      try socket.withLock { socket throws(KernelError) in try socket.tables() }
    }

    func chains(of table: NftTableName) throws(KernelError) -> [String] {
      try socket.withLock { socket throws(KernelError) in try socket.chains(of: table) }
    }

    func rules(of table: NftTableName) throws(KernelError) -> [NftRuleSummary] {
      try socket.withLock { socket throws(KernelError) in try socket.rules(of: table) }
    }

    func counters(of table: NftTableName) throws(KernelError) -> [NftCounter] {
      try socket.withLock { socket throws(KernelError) in try socket.counters(of: table) }
    }

    func tracked() throws(KernelError) -> [Netfilter.Connection] {
      try socket.withLock { socket throws(KernelError) in try socket.connections() }
    }

    func forget(_ connections: [Netfilter.Connection]) throws(KernelError) {
      _ = try socket.withLock { socket throws(KernelError) in try socket.forget(connections) }
    }
  }

  private let connection = Mutex<Connection?>(nil)

  package init() {}

  package func commit(_ transaction: NftTransaction) throws(KernelError) {
    try open().commit(transaction)
  }

  /// Makes changes to one state of nftables, and none to any other.
  ///
  /// - Parameter base: the number of that state.
  /// - Returns: the number of the state that they make; nil where somebody has made another of it already.
  package func commit(_ transaction: NftTransaction, at base: UInt32) throws(KernelError) -> UInt32? {
    let next = try open().commit(transaction, at: base)
    return next == (transaction.isEmpty ? base : Self.generation(after: base)) ? next : nil
  }

  /// The number of the state of nftables.
  package func generation() throws(KernelError) -> UInt32? { try open().generation() }

  /// The kernel leaves out zero.
  package static func generation(after base: UInt32) -> UInt32 { base == .max ? 1 : base + 1 }

  package func tables() throws(KernelError) -> [NftTableSummary] {
    try open().tables()
  }

  package func chains(of table: NftTableName) throws(KernelError) -> [String] {
    try open().chains(of: table)
  }

  package func rules(of table: NftTableName) throws(KernelError) -> [NftRuleSummary] {
    try open().rules(of: table)
  }

  package func counters(of table: NftTableName) throws(KernelError) -> [NftCounter] {
    try open().counters(of: table)
  }

  /// Has the kernel forget those of the connections that it tracks that are chosen.
  ///
  /// One that cannot list them cannot forget them either: they end by themselves, in half a minute at the latest.
  package func forgetConnections(
    _ choose: ([Netfilter.Connection]) throws(KernelError) -> [Netfilter.Connection]
  ) throws(KernelError) {
    // To list them is to walk the host's whole table, 10 ms of empty buckets.
    guard try Files.read("/proc/sys/net/netfilter/nf_conntrack_count") != Array("0\n".utf8) else { return }
    let connection = try open()
    let connections: [Netfilter.Connection]
    do throws(KernelError) {
      connections = try connection.tracked()
    } catch  where [.invalidArgument, .notSupported, .noSuchFileOrDirectory].contains(error.errno) {
      return
    }
    guard !connections.isEmpty else { return }
    try connection.forget(choose(connections))
  }

  private func open() throws(KernelError) -> Connection {
    if let connection = connection.withLock({ $0 }) { return connection }
    let new = try Connection()
    return connection.withLock { held in
      let kept = held ?? new
      held = kept
      return kept
    }
  }
}
