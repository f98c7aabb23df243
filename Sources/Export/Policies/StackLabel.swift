import Vocabulary

/// The labels that an export gives to pods, and that its Services and policies select by.
enum StackLabel {
  static let service = "stack/service"
  /// On pods of the stack, and not on those that only ask in their place.
  static let runs = "stack/runs"
  /// On pods that ask for the matrix.
  static let verify = "stack/verify"
  /// The label that a StatefulSet gives to each of its pods.
  static let pod = "statefulset.kubernetes.io/pod-name"
  static let yes = "true"

  static func network(_ name: String) -> String { label("net-\(name)") }
  static func alias(_ name: String) -> String { label("name-\(name)") }
  /// - Parameter side: `from` or `to`.
  static func rule(_ number: Int, _ side: String) -> String { "stack/rule-\(number)-\(side)" }

  /// The name part of a label ends in a letter or a digit and has at most 63 bytes.
  private static func label(_ name: String) -> String {
    let isFine = name.utf8.count <= 63 && (name.last.map { $0.isASCII && ($0.isLetter || $0.isNumber) } ?? false)
    return "stack/" + (isFine ? name : "\(name.prefix(4))\(StableHash(name).tag)")
  }
}
