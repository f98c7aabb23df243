import Isolation

extension ResourceLimits {
  /// The controllers that what is limited takes, beside those that count in any case.
  var controllers: [ControlGroups.Controller] {
    var needed: [ControlGroups.Controller] = []
    if processorQuota != nil || processorShares != nil { needed.append(.cpu) }
    if processors != nil { needed.append(.cpuset) }
    if !blockIO.isEmpty { needed.append(.io) }
    return needed
  }
}
