import Vocabulary

extension StackFile.DeclaredConditions {
  /// The keys of an end of a link.
  var outputEntries: [OutputValue.Entry] {
    both.outputEntries
      + [("egress", egress), ("ingress", ingress)].filter { !$0.1.isEmpty }.map {
        .init(key: $0.0, value: .mapping($0.1.outputEntries))
      }
  }
}

extension StackFile.DeclaredCondition {
  var outputEntries: [OutputValue.Entry] {
    let values: [(String, String?)] = [
      ("rate", rate.map { "\($0.value)" }), ("delay", delay.map { DurationText.text($0.value) }),
      ("jitter", jitter.map { DurationText.text($0.value) }), ("loss", loss.map { "\($0.value)" }),
      ("duplicate", duplicate.map { "\($0.value)" }), ("corrupt", corrupt.map { "\($0.value)" }),
      ("reorder", reorder.map { "\($0.value)" }),
    ]
    return values.compactMap { key, value in value.map { .init(key: key, value: .text($0)) } }
  }
}
