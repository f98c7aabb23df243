import CNetfilter

extension RouteBatch {
  /// Adds a discipline. At a place that has one already, it takes that one's place, with what waited there lost.
  public mutating func create(_ discipline: QueueDiscipline, tolerating tolerance: Tolerance = .none) {
    append("create", discipline, tolerating: tolerance, flags: NLM_F_CREATE | NLM_F_REPLACE)
  }

  /// Changes a discipline that is there, by its number; what waits in it stays. Its kind cannot change.
  public mutating func change(_ discipline: QueueDiscipline) {
    append("change", discipline, tolerating: .none, flags: 0)
  }

  /// Takes away what was made as a link's first discipline, with all below it: the link's own kind takes over.
  public mutating func deleteQueues(of link: UInt32, tolerating tolerance: Tolerance = .none) {
    append(
      "delete the queue of", .link(.index(link)), tolerating: tolerance, type: Int(RTM_DELQDISC), flags: 0
    ) { $0.putQueueHeader(link: link, handle: 0, parent: QueueDiscipline.Place.root.number) }
  }

  private mutating func append(
    _ action: String, _ discipline: QueueDiscipline, tolerating tolerance: Tolerance, flags: Int32
  ) {
    append(action, .queue(discipline.kind.name), tolerating: tolerance, type: Int(RTM_NEWQDISC), flags: flags) {
      writer in
      writer.putQueueHeader(link: discipline.link, handle: discipline.handle, parent: discipline.place.number)
      writer.attribute(Int(TCA_KIND), discipline.kind.name)
      writer.attribute(Int(TCA_OPTIONS)) { writer in
        switch discipline.kind {
        case .tokenBucket(let bucket): writer.put(bucket)
        case .emulator(let emulator): writer.put(emulator)
        }
      }
    }
  }
}

extension QueueDiscipline {
  var handle: UInt32 { UInt32(major) << 16 }
}

extension QueueDiscipline.Place {
  /// TC_H_ROOT, or a class's number.
  var number: UInt32 {
    switch self {
    case .root: UInt32.max
    case .below(let major, let minor): UInt32(major) << 16 | UInt32(minor)
    }
  }
}

extension QueueDiscipline.Kind {
  /// As tc and the kernel call it.
  public var name: String {
    switch self {
    case .tokenBucket: "tbf"
    case .emulator: "netem"
    }
  }
}

extension MessageWriter {
  /// `struct tcmsg`.
  mutating func putQueueHeader(link: UInt32, handle: UInt32, parent: UInt32) {
    put(UInt32(0))
    put(link)
    put(handle)
    put(parent)
    put(UInt32(0))
  }

  fileprivate mutating func put(_ bucket: TokenBucket) {
    attribute(Int(TCA_TBF_PARMS)) { writer in
      // struct tc_tbf_qopt. The link layer is named, so that the kernel computes rates itself and needs no table of
      // them. The burst would be in ticks of its clock, so it stands in an attribute of its own, in octets.
      writer.putRate(UInt32(clamping: bucket.rate))
      writer.putNoRate()
      writer.put(bucket.limit)
      writer.put(UInt32(0))
      writer.put(UInt32(0))
    }
    attribute(Int(TCA_TBF_BURST), bucket.burst)
    if bucket.rate > UInt64(UInt32.max) { attribute(Int(TCA_TBF_RATE64), bucket.rate) }
  }

  /// `struct tc_ratespec`: cell_log, linklayer, overhead, cell_align, mpu and the rate.
  private mutating func putRate(_ rate: UInt32) {
    put(UInt8(0))
    put(UInt8(TC_LINKLAYER_ETHERNET.rawValue))
    for _ in 0..<3 { put(UInt16(0)) }
    put(rate)
  }

  private mutating func putNoRate() {
    for _ in 0..<3 { put(UInt32(0)) }
  }

  fileprivate mutating func put(_ emulator: NetworkEmulator) {
    // struct tc_netem_qopt, whose attributes follow it without one of their own around them.
    put(emulator.delay.ticks)
    put(emulator.limit)
    put(emulator.loss.rawValue)
    // Every packet may be the one that overtakes: with a gap of 0 none is.
    put(UInt32(emulator.reordering.rawValue > 0 ? 1 : 0))
    put(emulator.duplication.rawValue)
    put(emulator.jitter.ticks)
    // struct tc_netem_reorder and tc_netem_corrupt: how often, and how much that depends on the packet before.
    for (type, chance) in [
      (TCA_NETEM_REORDER, emulator.reordering), (TCA_NETEM_CORRUPT, emulator.corruption),
    ] where chance.rawValue > 0 {
      attribute(Int(type)) { writer in
        writer.put(chance.rawValue)
        writer.put(UInt32(0))
      }
    }
  }
}

extension Duration {
  /// In the kernel's unit for delays, 64 ns (PSCHED_SHIFT in net/pkt_sched.h); the longest that there is for what is longer.
  fileprivate var ticks: UInt32 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let nanoseconds = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !nanoseconds.overflow else { return .max }
    return UInt32(
      clamping: (nanoseconds.partialValue / 64) + (attoseconds / 1_000_000_000 + nanoseconds.partialValue % 64) / 64)
  }
}
