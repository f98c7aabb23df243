import Kernel
import Netlink
import Synchronization

/// The netlink socket over which a stack's table is written, kept open from the first transaction on.
///
/// To close one is to wait until the kernel has let go of what the last transaction replaced, an RCU grace period of some
/// 20 ms (nft_rcv_nl_event in nf_tables_api.c): so it is closed when the supervisor ends, and nobody waits.
final class NftablesConnection: Sendable {
  private final class Connection: Sendable {
    private let socket: Mutex<NetlinkSocket>

    init() throws(KernelError) {
      socket = Mutex(try NetlinkSocket(.netfilter))
    }

    func commit(_ transaction: NftTransaction) throws(KernelError) {
      try socket.withLock { socket throws(KernelError) in try socket.commit(transaction) }
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
  }

  private let connection = Mutex<Connection?>(nil)

  func commit(_ transaction: NftTransaction) throws(KernelError) {
    try open().commit(transaction)
  }

  func tables() throws(KernelError) -> [NftTableSummary] {
    try open().tables()
  }

  func chains(of table: NftTableName) throws(KernelError) -> [String] {
    try open().chains(of: table)
  }

  func rules(of table: NftTableName) throws(KernelError) -> [NftRuleSummary] {
    try open().rules(of: table)
  }

  func counters(of table: NftTableName) throws(KernelError) -> [NftCounter] {
    try open().counters(of: table)
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
