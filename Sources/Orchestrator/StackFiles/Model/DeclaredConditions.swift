import Vocabulary

extension StackFile {
  /// One way over a link, as the file describes it: what it does not say is nil.
  package struct DeclaredCondition: Sendable, Hashable {
    var rate: Located<BitRate>?
    var delay: Located<Duration>?
    var jitter: Located<Duration>?
    var loss: Located<Share>?
    var duplicate: Located<Share>?
    var corrupt: Located<Share>?
    var reorder: Located<Share>?

    var isEmpty: Bool { self == DeclaredCondition() }

    /// The other's values where it sets them, else this one's.
    func overlaid(by other: DeclaredCondition) -> DeclaredCondition {
      var sum = self
      sum.rate = other.rate ?? rate
      sum.delay = other.delay ?? delay
      sum.jitter = other.jitter ?? jitter
      sum.loss = other.loss ?? loss
      sum.duplicate = other.duplicate ?? duplicate
      sum.corrupt = other.corrupt ?? corrupt
      sum.reorder = other.reorder ?? reorder
      return sum
    }

    package var condition: LinkCondition {
      var condition = LinkCondition()
      condition.rate = rate?.value
      condition.delay = delay?.value ?? .zero
      condition.jitter = jitter?.value ?? .zero
      condition.loss = loss?.value ?? .none
      condition.duplicate = duplicate?.value ?? .none
      condition.corrupt = corrupt?.value ?? .none
      condition.reorder = reorder?.value ?? .none
      return condition
    }

    /// The place of the first value that only netem can bring about.
    package var emulatedPlace: Span? {
      delay?.span ?? jitter?.span ?? duplicate?.span ?? corrupt?.span ?? reorder?.span
    }
  }

  /// The conditions of one end of a link.
  package struct DeclaredConditions: Sendable, Hashable {
    /// The conditions of both directions, where one has none of its own.
    var both = DeclaredCondition()
    var egress = DeclaredCondition()
    var ingress = DeclaredCondition()

    package subscript(direction: LinkDirection) -> DeclaredCondition {
      switch direction {
      case .egress: both.overlaid(by: egress)
      case .ingress: both.overlaid(by: ingress)
      }
    }

    package var conditions: LinkConditions {
      var conditions = LinkConditions()
      for direction in LinkDirection.allCases { conditions[direction] = self[direction].condition }
      return conditions
    }
  }
}
