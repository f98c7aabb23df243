import Glibc
import Intent
import Kernel
import Loop
import SystemPackage

/// Sends real packets from inside network namespaces and says what became of them: all at once, from one thread.
///
/// A socket belongs to the namespace that it was opened in, so the thread is elsewhere only while it opens some.
package struct ReachProber {
  let places: [String: ProbePlace]
  package var timing = ProbeTiming()
  private let networks: LargeNetworks?
  /// The limit of sockets that are open at once to send questions.
  var window = 2048
  /// The limit of echo requests that are on their way at once. All of a place share one socket, so they cost no descriptors.
  var mostEchoes = 65536
  /// The least number of questions that are shared out to threads. Fewer are answered before threads could start.
  var fewest = 8192

  /// - Parameter stack: whose large networks are known; nil for none.
  package init(_ places: [ProbePlace], of stack: DesiredStack? = nil) {
    let networks = stack.map(LargeNetworks.init)
    self.networks = networks.flatMap { $0.isEmpty ? nil : $0 }
    self.places = Dictionary(places.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Leaves room for the places themselves and for listeners.
  package mutating func limit(descriptors: Int) {
    window = max(16, min(window, (descriptors - 2 * places.count) / 2))
  }

  /// The answer to each question, in their order.
  func ask(_ questions: [ReachQuestion]) throws(KernelError) -> [ReachAnswer] {
    let used = Set(questions.map(\.source)).union(questions.compactMap { $0.arrival?.place }).sorted()
    let neighbours = LearnedNeighbours(of: used.compactMap { places[$0] }.filter { !$0.isHost })
    defer { neighbours.forgetNew() }
    guard let networks else { return try put(questions) }
    var answers = [ReachAnswer](repeating: .silent, count: questions.count)
    for round in Self.rounds(questions) {
      let part = round.map { questions[$0] }
      let told = neighbours.tell(networks.introductions(for: part))
      defer { told.forget() }
      for (index, answer) in zip(round, try put(part)) { answers[index] = answer }
    }
    return answers
  }

  /// The places of the questions that are put at a time: as many as services can be told neighbours for. What two places ask of
  /// each other is together, so that they are told once.
  static func rounds(_ questions: [ReachQuestion], mostPairs: Int = mostPairs) -> [[Int]] {
    var numbers: [String: Int] = [:]
    func number(_ place: String) -> Int {
      if let number = numbers[place] { return number }
      numbers[place] = numbers.count
      return numbers.count - 1
    }
    let pairs = questions.map { question in
      let ends = (number(question.source), number(question.arrival?.place ?? ""))
      return min(ends.0, ends.1) << 32 | max(ends.0, ends.1)
    }
    var rounds: [[Int]] = []
    var count = mostPairs
    var last: Int?
    for index in questions.indices.sorted(by: { (pairs[$0], $0) < (pairs[$1], $1) }) {
      if pairs[index] != last {
        if count == mostPairs {
          rounds.append([])
          count = 0
        }
        count += 1
        last = pairs[index]
      }
      rounds[rounds.count - 1].append(index)
    }
    return rounds
  }

  /// Each takes two entries of the kernel's table: 36 MB in all.
  private static let mostPairs = 32768

  private func put(_ questions: [ReachQuestion]) throws(KernelError) -> [ReachAnswer] {
    let parts = Self.parts(questions, fewest: fewest)
    guard parts.count > 1 else {
      return try ProbeRun(questions, places, timing, window: window, mostEchoes: mostEchoes).finish()
    }
    return try put(questions, in: parts)
  }

  // MARK: Many questions

  /// Places in the list, a share for each processor: most of the work is the kernel's, which carries packets over all their hops
  /// within the call that sends them. All questions that arrive in one place are together, for one listener takes them in.
  static func parts(_ questions: [ReachQuestion], fewest: Int) -> [[Int]] {
    let count = max(1, min(4, Int(sysconf(CInt(_SC_NPROCESSORS_ONLN)))))
    guard count > 1, questions.count >= fewest else { return [Array(questions.indices)] }
    var places: [String: Int] = [:]
    var parts = [[Int]](repeating: [], count: count)
    for index in questions.indices {
      let place = questions[index].arrival?.place ?? ""
      let part = places[place] ?? places.count % count
      places[place] = part
      parts[part].append(index)
    }
    return parts.filter { !$0.isEmpty }
  }

  private func put(_ questions: [ReachQuestion], in parts: [[Int]]) throws(KernelError) -> [ReachAnswer] {
    let loop = try EventLoop()
    let pool = try WorkerPool(loop: loop, threads: parts.count)
    var answers = [ReachAnswer](repeating: .silent, count: questions.count)
    var failure: KernelError?
    var left = parts.count
    let (share, echoes) = (max(16, window / parts.count), mostEchoes / parts.count)
    for part in parts {
      let own = part.map { questions[$0] }
      try pool.submit { [places, timing] in
        Result { () throws(KernelError) in
          try ProbeRun(own, places, timing, window: share, mostEchoes: echoes).finish()
        }
      } completion: { result in
        left -= 1
        switch result {
        case .success(let found): for (index, answer) in zip(part, found) { answers[index] = answer }
        case .failure(let error): failure = error
        }
      }
    }
    while left > 0 { try loop.turn(atMost: nil) }
    pool.shutDown()
    if let failure { throw failure }
    return answers
  }
}

/// One run of a prober.
private final class ProbeRun {
  private typealias Instant = EventLoop.Instant

  /// A question that is waiting for its answer.
  private struct Flight {
    var sockets: [ProbeSocket] = []
    var tokens: [EventLoop.Token] = []
    var triesLeft: Int
  }

  private struct Deadline {
    var index: Int
    var time: Instant
  }

  private let loop: EventLoop
  private let token = ProbeToken()
  private let listeners: ProbeListeners
  private let echoes: EchoSockets
  private let places: [String: ProbePlace]
  private let questions: [ReachQuestion]
  private let timing: ProbeTiming
  private let window: Int
  private let mostEchoes: Int
  /// Indices of questions, those of one source together.
  private let order: [Int]
  private var started = 0
  /// The number of flights that are echo requests.
  private var echoesUnderWay = 0
  private var flights: [Int: Flight] = [:]
  private var answers: [Int: ReachAnswer] = [:]
  /// The source address and port of each answered question, by its index.
  private var senders: [Int: Endpoint] = [:]
  private var askers: Set<Endpoint> = []
  /// The fate, so far, of the first packets of questions that expect an answer.
  private var (areAnswered, areLost) = (false, false)
  /// Soonest first: each is as long after its beginning as any other.
  private var tries = ArraySlice<Deadline>()
  private var ends = ArraySlice<Deadline>()
  private var buffer = [UInt8](repeating: 0, count: 64)

  init(
    _ questions: [ReachQuestion], _ places: [String: ProbePlace], _ timing: ProbeTiming, window: Int, mostEchoes: Int
  ) throws(KernelError) {
    loop = try EventLoop()
    self.questions = questions
    self.places = places
    self.timing = timing
    self.window = window
    self.mostEchoes = max(window, mostEchoes)
    order = Dictionary(grouping: questions.indices) { questions[$0].source }.sorted { $0.key < $1.key }.flatMap(\.value)
    listeners = ProbeListeners(loop: loop, token: token)
    echoes = EchoSockets(loop: loop, token: token)
  }

  func finish() throws(KernelError) -> [ReachAnswer] {
    listeners.onDatagram = { [unowned self] index in settle(index, .answered(ReachAnswer.Arrival(witness: .service))) }
    echoes.onAnswer = { [unowned self] index, refusal in
      settle(index, refusal.map { .refused($0) } ?? .answered(ReachAnswer.Arrival(witness: .listener)))
    }
    try listeners.open(for: questions, in: places)
    // Questions that are all answered as they are sent leave nothing to wait for, but others to be sent.
    while !flights.isEmpty || started < order.count {
      let hasStarted = try startMore()
      let before = answers.count + listeners.arrivals
      try loop.turn(atMost: hasStarted ? .zero : untilNextDeadline)
      // Arrivals may answer questions that are due, so they are read before any question is given up.
      if answers.count + listeners.arrivals == before { try takeDue() }
    }
    // A listener may notice the packets of an answered question a moment after the answer.
    let deadline = loop.now + timing.patience
    while loop.now < deadline, answers.contains(where: isUnseen) {
      try loop.turn(atMost: loop.now.duration(to: deadline))
    }
    return questions.indices.map { index in
      guard case .answered(let arrival) = answers[index] else { return answers[index] ?? .silent }
      guard arrival.witness == .listener else { return .answered(arrival) }
      return .answered(self.arrival(index))
    }
  }

  private func arrival(_ index: Int) -> ReachAnswer.Arrival {
    listeners.arrival(of: questions[index], index, from: senders[index]) { askers.contains($0) }
  }

  /// True if a listener of ours should have seen what was answered, and has not.
  private func isUnseen(_ index: Int, _ answer: ReachAnswer) -> Bool {
    guard case .answered(let arrival) = answer, arrival.witness == .listener else { return false }
    return self.arrival(index).witness == .stranger
  }

  // MARK: Deadlines

  private var untilNextDeadline: Duration {
    guard !flights.isEmpty else { return .zero }
    let next = [tries.first?.time, ends.first?.time].compactMap(\.self).min()
    return next.map { max(.zero, loop.now.duration(to: $0)) } ?? .zero
  }

  /// Tries again what has not been answered, and gives up what has waited long enough.
  private func takeDue() throws(KernelError) {
    let now = loop.now
    // Whoever is called this late was not given the processor; then answers may not have been either.
    if let end = ends.first, end.time.duration(to: now) > timing.patience / 4 {
      let delay = timing.patience
      ends = ArraySlice(ends.map { Deadline(index: $0.index, time: max($0.time, now + delay)) })
    }
    var again: [Int] = []
    while let next = tries.first, next.time <= now {
      tries.removeFirst()
      guard flights[next.index] != nil else { continue }
      let expectsAnswer = questions[next.index].expectsAnswer
      if expectsAnswer { areLost = true }
      if !expectsAnswer, losesNothing {
        ends.append(Deadline(index: next.index, time: now + timing.patience))
      } else {
        again.append(next.index)
      }
    }
    try send(again)
    while let next = ends.first, next.time <= now {
      ends.removeFirst()
      guard let flight = flights[next.index] else { continue }
      let error = flight.sockets.compactMap { $0.pendingError() }.first
      settle(next.index, error.map(Self.answer) ?? .silent)
    }
  }

  /// True while every packet that should be answered was answered at once. Then silence that is expected need not be heard
  /// twice: on long ways, most of the work is in packets that are sent in vain.
  private var losesNothing: Bool { areAnswered && !areLost && timing.tries == ProbeTiming.usualTries }

  // MARK: Sending

  /// Sends further questions, if there is room for many. Between two batches, answers are read.
  ///
  /// - Returns: false if none were sent.
  private func startMore() throws(KernelError) -> Bool {
    let most = min(window, Self.largestBatch, order.count - started)
    var (echoes, sockets) = (mostEchoes - echoesUnderWay, window - (flights.count - echoesUnderWay))
    let batch = order[started...].prefix(most).prefix { index in
      if questions[index].traffic == .echo { echoes -= 1 } else { sockets -= 1 }
      return echoes >= 0 && sockets >= 0
    }
    guard !batch.isEmpty, batch.count >= most / 2 else { return false }
    started += batch.count
    for index in batch {
      flights[index] = Flight(triesLeft: timing.tries)
      if questions[index].traffic == .echo { echoesUnderWay += 1 }
    }
    try send(Array(batch))
    return true
  }

  private static let largestBatch = 2048

  /// Sends the packets of some questions, in one visit to each namespace.
  private func send(_ indices: [Int]) throws(KernelError) {
    var rest = indices[...]
    while let first = rest.first {
      let source = questions[first].source
      let group = rest.prefix { questions[$0].source == source }
      rest = rest.dropFirst(group.count)
      guard let place = places[source] else {
        for index in group { settle(index, .failed(KernelError("enter", source, errno: .noSuchFileOrDirectory))) }
        continue
      }
      try place.visit { () throws(KernelError) in
        for index in group { try send(index) }
      }
    }
  }

  private func send(_ index: Int) throws(KernelError) {
    flights[index]?.triesLeft -= 1
    do throws(KernelError) {
      switch questions[index].traffic {
      case .tcp(let port): try connect(index, port)
      case .udp(let port): try sendDatagram(index, port)
      case .echo:
        if let error = try echoes.send(index, to: questions[index].destination, from: questions[index].source) {
          settle(index, Self.answer(to: error))
        }
      }
    } catch {
      // Out of descriptors: what is open will be closed soon, but a run that cannot even begin has failed.
      guard flights.count > 1 else { throw error }
      settle(index, .failed(error))
    }
    guard let flight = flights[index] else { return }
    let now = loop.now
    if flight.triesLeft > 0 {
      tries.append(Deadline(index: index, time: now + timing.interval))
    } else {
      ends.append(Deadline(index: index, time: now + timing.patience))
    }
  }

  private func connect(_ index: Int, _ port: UInt16) throws(KernelError) {
    let destination = questions[index].destination
    let socket = try ProbeSocket(SOCK_STREAM, for: destination)
    socket.resetOnClose()
    let outcome = socket.connect(to: Endpoint(address: destination, port: port))
    if let outcome, outcome != .nowInProgress { return settle(index, Self.answer(to: outcome)) }
    // An ICMP answer that came within the call is only noted, for the socket was in use (sk_err_soft, tcp_v4_err).
    if let error = socket.pendingError() { return settle(index, Self.answer(to: error)) }
    try watch(socket, index, .write) { [unowned self, unowned socket] in
      // A service that resets a connection has had it.
      if let error = socket.pendingError(), error != .connectionReset {
        return settle(index, Self.answer(to: error))
      }
      settleAnswered(index, socket)
    }
  }

  private func sendDatagram(_ index: Int, _ port: UInt16) throws(KernelError) {
    let destination = questions[index].destination
    if let socket = flights[index]?.sockets.first {
      if let error = socket.send(token.bytes(index)) { settle(index, Self.answer(to: error)) }
      return
    }
    let socket = try ProbeSocket(SOCK_DGRAM, for: destination)
    // Else only some refusals would be told (ip(7)).
    socket.set(Int(IPPROTO_IP), IP_RECVERR)
    socket.set(Int(IPPROTO_IPV6), IPV6_RECVERR)
    let end = Endpoint(address: destination, port: port)
    if let error = socket.connect(to: end) ?? socket.send(token.bytes(index)) {
      return settle(index, Self.answer(to: error))
    }
    try watch(socket, index, .read) { [unowned self, unowned socket] in
      if let error = socket.pendingError() { return settle(index, Self.answer(to: error)) }
      switch socket.receive(into: &buffer) {
      case .datagram: settleAnswered(index, socket)
      case .failed(let error) where error != .wouldBlock: settle(index, Self.answer(to: error))
      case .failed: break
      }
    }
  }

  private func watch(
    _ socket: ProbeSocket, _ index: Int, _ interest: EventLoop.Interest, _ handler: @escaping () -> Void
  ) throws(KernelError) {
    let token = try loop.register(socket.fileDescriptor, interest: interest) { _ in handler() }
    flights[index]?.sockets.append(socket)
    flights[index]?.tokens.append(token)
  }

  // MARK: Answers

  private func settleAnswered(_ index: Int, _ socket: ProbeSocket) {
    senders[index] = socket.localEnd
    if let end = senders[index] { askers.insert(end) }
    settle(index, .answered(ReachAnswer.Arrival(witness: .listener)))
  }

  private func settle(_ index: Int, _ answer: ReachAnswer) {
    guard let flight = flights.removeValue(forKey: index) else { return }
    if questions[index].traffic == .echo { echoesUnderWay -= 1 }
    answers[index] = answer
    if answer.isAnswered { areAnswered = true }
    // Closed when all are out of the loop.
    withExtendedLifetime(flight) {
      for token in flight.tokens { loop.remove(token) }
    }
  }

  private static func answer(to error: Errno) -> ReachAnswer {
    switch error {
    case .connectionRefused: .refused(.port)
    // The errors of unreachable, prohibit and blackhole routes cannot be told apart from ICMP answers.
    case .noRouteToHost, .hostIsDown, .permissionDenied, .notPermitted: .refused(.path)
    case .networkUnreachable, .addressNotAvailable, .invalidArgument: .noRoute
    case .timedOut: .silent
    default: .failed(KernelError("send", "a probe", errno: error))
    }
  }
}
