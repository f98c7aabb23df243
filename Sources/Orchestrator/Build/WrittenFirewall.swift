import Host
import Intent
import Kernel
import Netfilter
import Rules
import Synchronization

/// The firewall that this process has written last, while nobody has changed anything of nftables since.
///
/// The kernel numbers the states of nftables, and makes a change that names the number of its base only to that state. So what
/// follows from the former stack is there, and only the difference is sent.
final class WrittenFirewall: Sendable {
  private struct State {
    var stack: DesiredStack
    var sharesConnections: Bool
    var generation: UInt32
  }

  private let state = Mutex<State?>(nil)

  /// Takes note that a stack's tables were written as a whole, and what the kernel's number is since.
  func note(_ stack: DesiredStack, sharesConnections: Bool, generation: UInt32) {
    state.withLock { $0 = State(stack: stack, sharesConnections: sharesConnections, generation: generation) }
  }

  /// Forgets it: the tables are to be written as a whole.
  func forget() { state.withLock { $0 = nil } }

  /// Makes the tables those of another stack.
  ///
  /// - Returns: false where they have to be written as a whole: somebody has changed something, or rules differ.
  func change(to stack: DesiredStack, over netfilter: NetfilterConnection) -> Bool {
    guard let known = state.withLock({ $0 }) else { return false }
    let (old, new) = (
      Firewall(known.stack, sharesConnections: known.sharesConnections),
      Firewall(stack, sharesConnections: known.sharesConnections)
    )
    guard let difference = NftTransaction(from: old.tables, to: new.tables),
      let generation = try? netfilter.commit(difference, at: known.generation)
    else {
      forget()
      return false
    }
    note(stack, sharesConnections: known.sharesConnections, generation: generation)
    return true
  }
}
