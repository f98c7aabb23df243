import Vocabulary

extension Field {
  /// Checks a name that is a key or a value. The subject is what it names: `service`.
  @discardableResult
  func checkName(_ name: Located<String>, _ rule: NameRule, of subject: String) -> Bool {
    guard let problem = rule.problem(with: name.value) else { return true }
    let node = Node(.scalar(Node.Scalar(text: name.value, isPlain: true)), name.span)
    report(
      .badName, "\"\(Self.shortened(name.value))\" cannot name a \(subject)", "a \(subject)'s name \(problem.words)",
      at: problem.range.isEmpty ? name.span : node.span(of: problem.range))
    return false
  }

  /// A name for a message.
  static func shortened(_ text: String) -> String {
    text.count > 70 ? "\(text.prefix(60))…" : text
  }

  /// A host name, with dots or without: what sethostname(2) takes, of the characters of RFC 1123 and `_`.
  func hostname() -> Located<String>? {
    guard let text = nonEmptyText() else { return nil }
    let bytes = Array(text.value.utf8)
    // HOST_NAME_MAX (limits.h)
    guard bytes.count <= 64 else {
      report(
        .badHostname, "\"\(name)\" is \(bytes.count) bytes long", "the kernel takes at most 64",
        at: node.span(of: 64..<bytes.count))
      return nil
    }
    for label in bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
      let isFine = label.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
          true
        default: false
        }
      }
      guard isFine, !label.isEmpty, label.first != UInt8(ascii: "-"), label.last != UInt8(ascii: "-") else {
        report(
          .badHostname, "\"\(Self.shortened(text.value))\" is not a host name",
          help: ["a-z, A-Z, 0-9, _ and -, in parts between dots; no part begins or ends with -"])
        return nil
      }
    }
    return text
  }
}
