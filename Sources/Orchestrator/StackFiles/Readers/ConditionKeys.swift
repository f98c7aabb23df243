import Vocabulary

/// The keys for delay, loss and rate of a link.
enum ConditionKeys {
  /// The access from a mapping's target to the part that its keys set.
  typealias Way<Target, Part> = @Sendable (inout Target, (inout Part) -> Void) -> Void

  /// For a mapping that describes an end of a link: each key for both ways, and `egress` and `ingress` for one.
  static func keys<Target>(_ way: @escaping Way<Target, StackFile.DeclaredConditions>) -> [KeyTable<Target>.Key] {
    oneWay { target, change in way(&target) { change(&$0.both) } }
      + [
        .read("egress", "the same for packets from the service alone") { field, target in
          way(&target) { direction.read(field, into: &$0.egress) }
        },
        .read("ingress", "the same for packets to the service alone") { field, target in
          way(&target) { direction.read(field, into: &$0.ingress) }
        },
      ]
  }

  private static let direction = KeyTable<StackFile.DeclaredCondition>(
    "direction of a link", oneWay { target, change in change(&target) })

  /// The keys of a condition that is the same for all packets it applies to.
  static func oneWay<Target>(
    _ way: @escaping Way<Target, StackFile.DeclaredCondition>
  ) -> [KeyTable<Target>.Key] {
    [
      .read("rate", "the most that passes in a second, each way: 10mbit") { field, target in
        way(&target) { $0.rate = field.rate() }
      },
      .read("delay", "how long each packet takes, each way: 50ms") { field, target in
        way(&target) { $0.delay = field.delay() }
      },
      .read("jitter", "how much the delay varies at most: 5ms") { field, target in
        way(&target) { $0.jitter = field.delay() }
      },
      .read("loss", "packets that do not arrive: 1%") { field, target in way(&target) { $0.loss = field.share() } },
      .read("duplicate", "packets that arrive twice: 1%") { field, target in
        way(&target) { $0.duplicate = field.share() }
      },
      .read("corrupt", "packets with a bit turned over: 0.1%") { field, target in
        way(&target) { $0.corrupt = field.share() }
      },
      .read("reorder", "packets that overtake those that are delayed: 25%") { field, target in
        way(&target) { $0.reorder = field.share() }
      },
    ]
  }
}

extension Field {
  /// The longest delay that the kernel's netem can be told exactly.
  package static let longestDelay: Duration = .seconds(60)

  func rate() -> Located<BitRate>? {
    guard let text = nonEmptyText() else { return nil }
    let quoted = "\"\(name)\": \"\(Self.shortened(text.value))\""
    let help = ["write bits a second: 64kbit, 10mbit, 1.5gbit"]
    do {
      return Located(try BitRate(parsing: text.value), text.span)
    } catch {
      switch error {
      case .malformed: report(.badRate, "\(quoted) is not a rate", help: help)
      case .missingUnit: report(.badRate, "\(quoted) has no unit", "did you mean \"\(text.value)mbit\"?", help: help)
      case .octets(let bits):
        report(.badRate, "\(quoted) could be bits or octets a second", "did you mean \"\(bits)\"?", help: help)
      case .unknownUnit(let unit):
        report(.badRate, "\(quoted) has the unit \"\(Self.shortened(unit))\", which is unknown", help: help)
      case .outOfRange:
        report(.badRate, "\(quoted) is not within \(BitRate.range.lowerBound) to \(BitRate.range.upperBound)")
      }
    }
    return nil
  }

  func share() -> Located<Share>? {
    guard let text = nonEmptyText() else { return nil }
    let quoted = "\"\(name)\": \"\(Self.shortened(text.value))\""
    let help = ["write a percentage: 1%, 0.05%"]
    do {
      return Located(try Share(parsing: text.value), text.span)
    } catch {
      switch error {
      case .malformed: report(.badShare, "\(quoted) is not a share", help: help)
      case .missingUnit: report(.badShare, "\(quoted) has no unit", "did you mean \"\(text.value)%\"?", help: help)
      case .tooLarge: report(.badShare, "\(quoted) is more than all packets", "at most 100%")
      case .tooFine: report(.badShare, "\(quoted) is finer than a millionth, 0.0001%")
      }
    }
    return nil
  }

  func delay() -> Located<Duration>? {
    guard let duration = duration() else { return nil }
    guard duration <= Self.longestDelay else {
      report(
        .badDuration, "\"\(name)\" is not within 0s to \(DurationText.text(Self.longestDelay))", "no link is that long")
      return nil
    }
    return Located(duration, node.span)
  }

  /// Reports conditions of an end that contradict each other.
  func check(_ conditions: StackFile.DeclaredConditions) {
    for direction in LinkDirection.allCases { check(conditions[direction]) }
  }

  func check(_ declared: StackFile.DeclaredCondition) {
    let delay = declared.delay?.value ?? .zero
    if let jitter = declared.jitter, jitter.value > .zero {
      if delay == .zero {
        report(
          .jitterWithoutDelay, "jitter varies a delay, and there is none", at: jitter.span,
          help: ["give a delay that is at least as long: `delay: \(DurationText.text(jitter.value))`"])
      } else if jitter.value > delay, let longer = declared.delay {
        report(
          .jitterExceedsDelay, "the jitter is longer than the delay", "no packet arrives before it was sent",
          at: jitter.span, also: [Diagnostic.Label(longer.span, "the delay")])
      }
    }
    if let reorder = declared.reorder, reorder.value > .none, delay == .zero {
      report(
        .reorderWithoutDelay, "packets overtake those that are delayed, and none is", at: reorder.span,
        help: ["give a delay: `delay: 10ms`"])
    }
  }
}
