/// A queueing discipline (qdisc): the queue of packets that leave by a link (tc(8)).
public struct QueueDiscipline: Hashable, Sendable {
  /// The place in the tree of a link's disciplines.
  public enum Place: Hashable, Sendable {
    /// The root discipline, through which the link sends.
    case root
    /// Within another, below the class `major:minor`, as the 16 bits of each.
    case below(major: UInt16, minor: UInt16)
  }

  public enum Kind: Hashable, Sendable {
    case tokenBucket(TokenBucket)
    case emulator(NetworkEmulator)
  }

  /// The link, by index.
  public var link: UInt32
  /// The number that tells it from the link's others: `1` is `1:` in tc's words. 0 is for the kernel's own.
  public var major: UInt16
  public var place: Place
  public var kind: Kind

  public init(_ kind: Kind, major: UInt16, on link: UInt32, at place: Place = .root) {
    self.kind = kind
    self.major = major
    self.link = link
    self.place = place
  }
}

/// A limit to what leaves in a second: tc-tbf(8). A packet waits until there are tokens for each of its octets.
public struct TokenBucket: Hashable, Sendable {
  /// Octets a second, of whole frames without preamble and checksum.
  public var rate: UInt64
  /// Octets that may leave at once. No packet may be larger, but one that the kernel can still cut into several.
  public var burst: UInt32
  /// Octets that may wait; what comes then is dropped.
  public var limit: UInt32

  public init(rate: UInt64, burst: UInt32, limit: UInt32) {
    self.rate = rate
    self.burst = burst
    self.limit = limit
  }
}

/// Packets delayed, lost, doubled, damaged and put out of order: tc-netem(8). Not every kernel has it: ENOENT.
public struct NetworkEmulator: Hashable, Sendable {
  /// A probability, as a part of 2³² - 1.
  public struct Chance: Hashable, Sendable {
    public var rawValue: UInt32

    /// So many of a million; a million and more is always.
    public init(partsPerMillion: UInt32) {
      let always = UInt64(UInt32.max)
      rawValue = UInt32(min(always, (UInt64(partsPerMillion) * always + 500_000) / 1_000_000))
    }
  }

  /// Up to 274 seconds.
  public var delay: Duration = .zero
  /// The largest difference of a packet's delay from `delay`, in either direction.
  public var jitter: Duration = .zero
  public var loss = Chance(partsPerMillion: 0)
  public var duplication = Chance(partsPerMillion: 0)
  /// The probability that one bit of a packet is flipped.
  public var corruption = Chance(partsPerMillion: 0)
  /// The probability that a packet is sent at once, before those that are delayed.
  public var reordering = Chance(partsPerMillion: 0)
  /// Packets that may wait; what comes then is dropped.
  public var limit: UInt32

  public init(limit: UInt32) {
    self.limit = limit
  }
}
