import Vocabulary

extension Field {
  func size() -> UInt64? {
    guard let text = nonEmptyText() else { return nil }
    guard let size = ByteSize.parse(text.value) else {
      reportSize(text.value)
      return nil
    }
    return size
  }

  func reportSize(_ text: String, at span: Span? = nil) {
    report(
      .badSize, "\"\(name)\": \"\(text)\" is not a size", at: span,
      help: ["write bytes or a number with a unit: 65536, 64k, 512m, 2g"])
  }
}
