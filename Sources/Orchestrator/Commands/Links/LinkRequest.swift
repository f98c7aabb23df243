import Intent
import StackFiles
import Vocabulary

/// A change of a service's links, as a person asks for it.
package struct LinkRequest: Sendable {
  /// As they were written; nil for what is not to change.
  package var rate: String?
  package var delay: String?
  package var jitter: String?
  package var loss: String?
  package var duplicate: String?
  package var corrupt: String?
  package var reorder: String?
  /// nil for both ways.
  package var direction: LinkDirection?
  package var isDown: Bool?
  /// Back to what the file says, before anything else is changed.
  package var resets = false
  /// The duration as it was written; nil for as long as the stack is up.
  package var duration: String?

  package init() {}

  /// True if something is to be changed.
  package var isChange: Bool { isDown != nil || resets || changesCondition }

  private var changesCondition: Bool {
    [rate, delay, jitter, loss, duplicate, corrupt, reorder].contains { $0 != nil }
  }

  /// The override that comes of it on a link. What is to last builds on what lasts, and takes the place of what was to end by
  /// itself; what is to end builds on what holds.
  ///
  /// - Parameter declared: as the file says.
  /// - Throws: what makes no sense in it, by the option.
  func override(
    on declared: LinkConditions, inPlaceOf previous: LinkOverride?
  ) throws(StackErrors) -> LinkOverride? {
    let former = previous ?? LinkOverride()
    var change = duration == nil ? former.lasting : former.current
    if resets { reset(&change) }
    if let isDown { change.isDown = isDown }
    if changesCondition {
      let conditions = declared.changed(by: change)
      for way in ways { change[way] = try changed(conditions[way]) }
    }
    let override = LinkOverride(change, afterwards: duration == nil ? nil : former.lasting)
    return override.isEmpty ? nil : override
  }

  private var ways: [LinkDirection] { LinkDirection.allCases.filter { direction == nil || direction == $0 } }

  private func reset(_ change: inout LinkOverride.Change) {
    for way in ways { change[way] = nil }
    if direction == nil { change.isDown = false }
  }

  var seconds: Double? {
    get throws(StackErrors) {
      guard let duration else { return nil }
      let parsed = try Self.duration(duration, "for", longest: Field.longestDuration)
      guard parsed > .zero else { throw Self.refusal("for", duration, "is no time") }
      return Double(parsed.components.seconds) + Double(parsed.components.attoseconds) / 1e18
    }
  }

  private func changed(_ current: LinkCondition) throws(StackErrors) -> LinkCondition {
    var condition = current
    if let rate { condition.rate = rate == "none" ? nil : try Self.rate(rate) }
    if let delay {
      condition.delay = try Self.duration(delay, "delay", longest: Field.longestDelay)
      // Without a delay there is neither jitter nor reordering.
      if condition.delay == .zero { (condition.jitter, condition.reorder) = (.zero, .none) }
    }
    if let jitter { condition.jitter = try Self.duration(jitter, "jitter", longest: Field.longestDelay) }
    if let loss { condition.loss = try Self.share(loss, "loss") }
    if let duplicate { condition.duplicate = try Self.share(duplicate, "duplicate") }
    if let corrupt { condition.corrupt = try Self.share(corrupt, "corrupt") }
    if let reorder { condition.reorder = try Self.share(reorder, "reorder") }
    guard condition.jitter <= condition.delay else {
      throw StackErrors(
        mistake: "a jitter of \(DurationText.text(condition.jitter)) needs a delay that is at least as long",
        remedy: "give one: --delay \(DurationText.text(condition.jitter))")
    }
    guard condition.reorder == .none || condition.delay > .zero else {
      throw StackErrors(
        mistake: "packets overtake those that are delayed, and none is", remedy: "give a delay: --delay 10ms")
    }
    return condition
  }

  private static func rate(_ text: String) throws(StackErrors) -> BitRate {
    do {
      return try BitRate(parsing: text)
    } catch {
      switch error {
      case .octets(let bits):
        throw refusal("rate", text, "could be bits or octets a second", remedy: "did you mean \(bits)?")
      case .outOfRange:
        throw refusal("rate", text, "is not within \(BitRate.range.lowerBound) to \(BitRate.range.upperBound)")
      case .missingUnit: throw refusal("rate", text, "has no unit", remedy: "did you mean \(text)mbit?")
      case .malformed, .unknownUnit:
        throw refusal("rate", text, "is no rate", remedy: "write 64kbit, 10mbit, 1.5gbit, or none")
      }
    }
  }

  private static func share(_ text: String, _ option: String) throws(StackErrors) -> Share {
    do {
      return try Share(parsing: text)
    } catch {
      switch error {
      case .missingUnit: throw refusal(option, text, "has no unit", remedy: "did you mean \(text)%?")
      case .tooLarge: throw refusal(option, text, "is more than all packets")
      case .tooFine: throw refusal(option, text, "is finer than a millionth")
      case .malformed: throw refusal(option, text, "is no share", remedy: "write a percentage: 1%, 0.05%")
      }
    }
  }

  private static func duration(
    _ text: String, _ option: String, longest: Duration
  ) throws(StackErrors) -> Duration {
    do {
      let duration = try DurationText.parse(text)
      guard duration <= longest else { throw refusal(option, text, "is longer than \(DurationText.text(longest))") }
      return duration
    } catch let error as StackErrors {
      throw error
    } catch {
      throw refusal(option, text, "is no duration", remedy: "write a number and a unit: 500ms, 30s")
    }
  }

  private static func refusal(
    _ option: String, _ text: String, _ problem: String, remedy: String? = nil
  ) -> StackErrors {
    StackErrors(mistake: "--\(option) \(text) \(problem)", remedy: remedy)
  }
}
