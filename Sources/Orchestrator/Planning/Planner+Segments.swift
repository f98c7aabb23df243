import Intent

/// Further bridges of large networks come after the networks' own and go before them.
extension Planner {
  static func segments(
    new networks: [DesiredNetwork], from old: DesiredStack, to new: DesiredStack, isSettled: Bool
  ) -> [DesiredSegment] {
    let made = Set(networks.map(\.name))
    return new.segments.filter { !isSettled || made.contains($0.network) || !old.segments.contains($0) }
  }

  static func segmentsGone(
    with networks: [DesiredNetwork], from old: DesiredStack, to new: DesiredStack
  ) -> [DesiredSegment] {
    let gone = Set(networks.map(\.name))
    return old.segments.filter { gone.contains($0.network) || !new.segments.contains($0) }
  }
}
