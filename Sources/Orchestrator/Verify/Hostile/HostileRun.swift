import Addresses
import Glibc
import Kernel
import Loop
import SystemPackage

/// The outcome of a plan's attempts.
struct HostileOutcome {
  /// The victims at whose places each attempt arrived, by its index.
  var arrivals: [Int: Set<String>] = [:]
  /// The attempts that moved a hardware address to the attacker's port, by index, until it was put back.
  var moved: Set<Int> = []
  /// The reason why an attack could not be tried, by attacker.
  var unasked: [String: String] = [:]
}

/// Sends the frames of a plan, all at once and from one thread, and sees where they come out.
final class HostileRun {
  private let loop: EventLoop
  private let token = ProbeToken()
  private let plan: HostilePlan
  private let places: [String: ProbePlace]
  private let timing: ProbeTiming
  private var senders: [String: PacketSocket] = [:]
  private var links: [String: [String: UInt32]] = [:]
  private var witnesses: [PacketSocket] = []
  private var listeners: [ProbeSocket] = []
  private var restoration: HostileRestoration
  private var outcome = HostileOutcome()
  private var seenControls: Set<Int> = []
  private var buffer = [UInt8](repeating: 0, count: 512)

  init(_ plan: HostilePlan, places: [String: ProbePlace], timing: ProbeTiming) throws(KernelError) {
    loop = try EventLoop()
    (self.plan, self.places, self.timing) = (plan, places, timing)
    restoration = try HostileRestoration(plan, places)
  }

  func finish() throws(KernelError) -> HostileOutcome {
    try openSockets()
    let bySender = Dictionary(grouping: plan.attempts.indices) { plan.attempts[$0].attacker }.sorted { $0.key < $1.key }
    for _ in 0..<timing.tries { sendControls() }
    for (_, attempts) in bySender { try send(questions: attempts) }
    // The host has tracked a question before its answer comes.
    try pass(Self.pause + timing.extra)
    for (_, attempts) in bySender { try send(attempts.filter { !plan.attempts[$0].takesFrames }) }
    for (_, attempts) in bySender {
      let taking = attempts.filter { plan.attempts[$0].takesFrames }
      guard !taking.isEmpty else { continue }
      try send(taking)
      try putBack(taking)
    }
    try settle()
    try putBack(plan.attempts.indices.filter { plan.attempts[$0].takesFrames })
    if !outcome.arrivals.isEmpty {
      try restoration.putBackNeighbours()
      try restoration.forgetTunnelled()
    }
    try restoration.forgetConnections()
    noteUnseenControls()
    return outcome
  }

  /// The time that a frame handed to another processor may need.
  private static let pause = Duration.milliseconds(20)
  /// The time that a frame may be late on a busy machine.
  private static let silence = Duration.milliseconds(60)

  // MARK: Sockets

  private func openSockets() throws(KernelError) {
    let victims = Set(plan.attempts.flatMap(\.victims) + plan.controls.compactMap(\.witnessPlace))
    let attackers = plan.interfaces
    let own = Set(plan.own.map(\.place) + [HostilePlan.outside])
    for name in victims.union(plan.attempts.map(\.attacker)).sorted() where name != HostilePlan.host {
      guard let place = places[name] else {
        // Other stacks come and go meanwhile.
        if own.contains(name) { outcome.unasked[name] = "its network namespace is not there" }
        continue
      }
      let interfaces = attackers[name] ?? []
      let socket = try place.visit { () throws(KernelError) in
        for interface in interfaces {
          let index = if_nametoindex(interface)
          if index != 0 { links[name, default: [:]][interface] = index }
        }
        return try PacketSocket(sees: victims.contains(name))
      }
      senders[name] = socket
      if victims.contains(name) { try watch(socket, at: name) }
    }
    if victims.contains(HostilePlan.host) { try listenOnHost() }
    for bridge in Set(plan.controls.compactMap(\.witnessLink)) {
      let index = if_nametoindex(bridge)
      if index != 0 { try watch(PacketSocket(sees: true, link: index), at: bridge) }
    }
  }

  private func watch(_ socket: PacketSocket, at place: String) throws(KernelError) {
    witnesses.append(socket)
    _ = try loop.register(socket.fileDescriptor, interest: .read) { [unowned self, unowned socket] _ in
      while let count = socket.receive(into: &buffer) { arrive(buffer[..<min(count, buffer.count)], at: place) }
    }
  }

  /// Listens for packets that the host's own firewall lets in. Raw sockets get a copy of each (raw(7)).
  private func listenOnHost() throws(KernelError) {
    for address in [IPAddress.v4(.any), .v6(.any)] {
      let socket = try ProbeSocket(SOCK_RAW, for: address, protocolNumber: Int(IPPROTO_UDP))
      listeners.append(socket)
      _ = try loop.register(socket.fileDescriptor, interest: .read) { [unowned self, unowned socket] _ in
        while case .datagram(let count, _) = socket.receive(into: &buffer) {
          arrive(buffer[..<min(count, buffer.count)], at: HostilePlan.host)
        }
      }
    }
  }

  // MARK: Arrivals

  /// Tokens of attempts come first, then those of questions, then those of controls.
  private func arrive(_ frame: ArraySlice<UInt8>, at place: String) {
    guard let number = token.index(within: frame) else { return }
    let count = plan.attempts.count
    if number < count {
      if plan.attempts[number].victims.contains(place) { outcome.arrivals[number, default: []].insert(place) }
    } else if number >= 2 * count, plan.controls.indices.contains(number - 2 * count) {
      seenControls.insert(number - 2 * count)
    }
  }

  private func noteUnseenControls() {
    let controls = Dictionary(grouping: plan.controls.indices) { plan.controls[$0].attacker }
    for (attacker, indices) in controls where outcome.unasked[attacker] == nil {
      let interfaces = Dictionary(grouping: indices) { plan.controls[$0].interface }
      for (interface, indices) in interfaces where seenControls.isDisjoint(with: indices) {
        outcome.unasked[attacker] = "what it may send by \(interface) does not arrive either"
      }
    }
  }

  // MARK: Sending

  private func sendControls() {
    for (index, control) in plan.controls.enumerated() {
      send(control.frame, token: 2 * plan.attempts.count + index, from: control.attacker, by: control.interface)
    }
  }

  private func send(questions indices: [Int]) throws(KernelError) {
    for index in indices {
      let attempt = plan.attempts[index]
      guard let question = attempt.question else { continue }
      send(question, token: plan.attempts.count + index, from: attempt.attacker, by: attempt.interface)
    }
    try loop.turn(atMost: .zero)
  }

  private func send(_ indices: [Int]) throws(KernelError) {
    for (sent, index) in indices.enumerated() {
      let attempt = plan.attempts[index]
      send(attempt.frame, token: index, from: attempt.attacker, by: attempt.interface)
      if sent % Self.batch == Self.batch - 1 { try loop.turn(atMost: .zero) }
    }
    try loop.turn(atMost: .zero)
  }

  /// The number of frames sent before arrivals are read. A socket's receive queue holds far more.
  private static let batch = 64

  private func send(_ frame: ForgedFrame, token index: Int, from attacker: String, by interface: String) {
    guard let socket = senders[attacker] else { return }
    guard let link = links[attacker]?[interface] else {
      outcome.unasked[attacker] = "it has no interface \(interface)"
      return
    }
    if let error = socket.send(frame.octets(carrying: token.bytes(index)), by: link) {
      outcome.unasked[attacker] = "\(KernelError("send", "a frame by \(interface)", errno: error))"
    }
  }

  // MARK: Waiting

  private func pass(_ time: Duration) throws(KernelError) {
    let end = loop.now + time
    while loop.now < end { try loop.turn(atMost: loop.now.duration(to: end)) }
  }

  /// Until nothing has come in for a while; longer while what must arrive has not.
  private func settle() throws(KernelError) {
    try pass(Self.silence + timing.extra)
    let end = loop.now + timing.patience
    while seenControls.count < plan.controls.count, loop.now < end { try pass(Self.pause) }
  }

  private func putBack(_ indices: [Int]) throws(KernelError) {
    let arrived = indices.filter { outcome.arrivals[$0] != nil }
    outcome.moved.formUnion(try restoration.putBack(after: indices, arrived: arrived))
  }
}

extension HostileControl {
  fileprivate var witnessPlace: String? { if case .service(let name) = witness { name } else { nil } }
  fileprivate var witnessLink: String? { if case .link(let name) = witness { name } else { nil } }
}

extension ProbeTiming {
  /// The time that the stack's links add to the usual patience.
  fileprivate var extra: Duration { patience - ProbeTiming().patience }
}
