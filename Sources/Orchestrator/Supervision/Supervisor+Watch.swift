import Build
import Glibc
import Host
import Intent
import Kernel
import Loop
import Netfilter
import Netlink
import Planning
import Vocabulary

/// Watches for changes that others make to the stack's tables and bridges.
final class StackWatch {
  private let loop: EventLoop
  private var tables: Listener?
  private var links: Listener?
  /// Set while a look is to come: one for many changes.
  private var pending: EventLoop.TimerID?
  private var pendingLinks: EventLoop.TimerID?
  private var pace = RepairPace()

  private final class Listener {
    var watch: NetlinkWatch
    var token: EventLoop.Token?

    init(_ watch: consuming NetlinkWatch) {
      self.watch = watch
    }
  }

  init(loop: EventLoop) {
    self.loop = loop
  }

  /// Hears of changes to nftables in tables that matter, and calls back a moment later.
  func watchTables(matters: @escaping (NftChange) -> Bool, look: @escaping () -> Void) throws(KernelError) {
    guard tables == nil else { return }
    let listener = Listener(try NetlinkWatch.nftables())
    listener.token = try loop.register(listener.watch.fileDescriptor, interest: .read) { [weak self, weak listener] _ in
      guard let self, let listener else { return }
      var concerns = false
      let isWhole = (try? listener.watch.drain { concerns = concerns || matters($0) }) ?? false
      guard concerns || !isWhole, pending == nil else { return }
      // A reload comes in several transactions.
      pending = loop.schedule(after: .milliseconds(100)) { [weak self] in
        self?.pending = nil
        look()
      }
    }
    tables = listener
  }

  /// Takes note that something of a link was put back. Who takes it away again and again is not outrun.
  func noteRepair() { pace.noteRepair(at: loop.now) }

  /// Hears of what takes links out of use, and calls back a moment later.
  func watchLinks(_ indices: [UInt32], look: @escaping () -> Void) throws(KernelError) {
    if let token = links?.token { loop.remove(token) }
    links = nil
    guard !indices.isEmpty else { return }
    let listener = Listener(try NetlinkWatch.losses(of: indices))
    listener.token = try loop.register(listener.watch.fileDescriptor, interest: .read) { [weak self, weak listener] _ in
      guard let self, let listener else { return }
      _ = try? listener.watch.drain { _ in }
      guard pendingLinks == nil else { return }
      // A flush of a link removes several things, and one repair after the delay restores all of them.
      pendingLinks = loop.schedule(after: pace.delay(at: loop.now)) { [weak self] in
        self?.pendingLinks = nil
        look()
      }
    }
    links = listener
  }

  func close() {
    for listener in [tables, links] {
      if let token = listener?.token { loop.remove(token) }
    }
    for timer in [pending, pendingLinks].compactMap(\.self) { loop.cancel(timer) }
    (tables, links, pending, pendingLinks) = (nil, nil, nil, nil)
  }
}

/// The delay before a removed part of a stack is restored.
///
/// It starts at 50 ms. It doubles with each repair that follows within a minute, up to 30 seconds.
struct RepairPace {
  private var delay = RepairPace.shortest
  private var last: EventLoop.Instant?

  static let shortest = Duration.milliseconds(50)
  static let longest = Duration.seconds(30)
  /// Without a repair for so long, the next one is at once.
  static let memory = Duration.seconds(60)

  mutating func noteRepair(at now: EventLoop.Instant) {
    delay = last.map { $0.duration(to: now) < Self.memory } ?? false ? min(delay * 2, Self.longest) : Self.shortest
    last = now
  }

  func delay(at now: EventLoop.Instant) -> Duration {
    guard let last, last.duration(to: now) < Self.memory else { return Self.shortest }
    return delay
  }
}

extension Supervisor {
  /// Begins to hear of what others do to the stack's tables and bridges. A host where that cannot be heard is no worse off than
  /// before.
  func watchHost() {
    guard let stack else { return }
    let own = StackTable.name(of: stack.name)
    let gates = Set((Passage.docker + Passage.firewalld).map(\.table))
    try? watch.watchTables(
      matters: { change in
        change.isRemoval && (change.table.name == own || change.table.name.hasPrefix("\(own)/"))
          || gates.contains(change.table)
      }, look: { [weak self] in self?.enqueue { [weak self] in self?.repairTables() } })
    let bridges = stack.networks.flatMap(\.bridges).map { if_nametoindex($0) }.filter { $0 > 0 }
    try? watch.watchLinks(bridges) { [weak self] in self?.enqueue { [weak self] in self?.repairBridges() } }
  }

  func repairTables() {
    guard let stack, let missing = try? builder.missing(of: stack), !missing.isEmpty else { return commandEnded() }
    var steps: [Step] = [.writeFirewall(stack)]
    if stack.partition != nil { steps.append(.partition(stack)) }
    for service in stack.services where service.attachments.contains(where: \.isShaped) {
      steps.append(.shape(service, stack))
    }
    repair("\(missing.joined(separator: ", ")) deleted by another program", steps)
  }

  func repairBridges() {
    guard let stack, let loss = try? NetworkLoss(observing: stack), !loss.complaints.isEmpty else {
      return commandEnded()
    }
    watch.noteRepair()
    let networks = stack.ownNetworks.filter { loss.faults[$0.name] != nil }
    let settings: [Step] =
      loss.settings.isEmpty
      ? []
      : [
        .prepareHost(
          stack: stack.name, forwarding: stack.neededForwarding, neighbours: stack.learnedNeighbours)
      ]
    repair(
      "\(loss.complaints.joined(separator: ", ")), by another program",
      networks.map { .raiseBridge($0, stack) } + settings)
  }

  private func repair(_ what: String, _ steps: [Step]) {
    run = PlanRun(
      Plan(stages: [.serial(steps)]), failures: .goOn, on: self, report: { _ in },
      completion: { [self] run in
        let result = run.errors.isEmpty ? "put back" : "cannot be put back: \(StackErrors(run.errors))"
        note("\(builder.stack): \(what): \(result)")
        commandEnded()
      })
    run?.start()
  }

  /// A line in the supervisor's log.
  func note(_ line: String) {
    let text = Array("\(line)\n".utf8)
    _ = text.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
