import Vocabulary

/// A verification as JUnit writes it down, which CI systems show: a test case for each check and each line of `expect:`.
extension Verification {
  package var junit: String {
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    let milliseconds = (seconds * 1000).rounded() / 1000
    let cases =
      findings.map { Self.testCase("\(stack).reach", $0.check.name, $0.isWrong ? $0.complaint : nil) }
      + expectations.map { finding in
        Self.testCase(
          "\(stack).expect", finding.place + finding.rule.line, finding.isMet ? nil : finding.complaint,
          element: finding.obstacle == nil ? "failure" : "error")
      }
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuite name="\(Self.escaped(stack))" tests="\(total)" failures="\(wrong)" errors="\(unasked)" skipped="0" time="\(milliseconds)">
      \(cases.joined())</testsuite>
      """
  }

  static func testCase(
    _ group: String, _ name: String, _ failure: String?, element: String = "failure"
  ) -> String {
    let head = "  <testcase classname=\"\(escaped(group))\" name=\"\(escaped(name))\""
    guard let failure else { return head + "/>\n" }
    let first = failure.split(separator: "\n").first.map(String.init) ?? ""
    return head + ">\n    <\(element) message=\"\(escaped(first))\">\(escaped(failure))</\(element)>\n  </testcase>\n"
  }

  static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
  }
}
