import Kernel

/// The lines that a step writes. Values of secrets are not shown.
///
/// A step may write without end. What is passed on ends at a limit, and so does the step's log, which has more.
struct StepOutput: ~Copyable {
  private var rest: [UInt8] = []
  private let secrets: [[UInt8]]
  /// The last of them, for the error.
  private(set) var last: [String] = []
  /// Nil for a step that has no log.
  private var log: StepLog?
  private var shownSize = 0
  /// The number of lines that were not passed on.
  private var omitted = 0
  /// The number of lines in ``last``.
  static let kept = 20
  /// Bytes that are passed on.
  static let shownLimit = 2 << 20
  private static let longest = 1 << 16
  private static let mark = Array("***".utf8)

  /// - Parameter log: gets all lines, up to its own limit.
  init(secrets: [[UInt8]], log: consuming StepLog? = nil) {
    self.log = log
    // Output comes line by line, so a key of many lines is known by each of them. A value of a few characters would be found
    // everywhere.
    let lines = secrets.flatMap { secret in secret.split(separator: 0x0A).map { Array($0).trimmed } }
    self.secrets = (secrets.map(\.trimmed) + lines.filter { $0.count >= 8 }).filter { $0.count >= 4 }
  }

  /// Takes bytes as they come, and passes on the lines that are whole.
  mutating func take(_ bytes: some Sequence<UInt8>, _ line: (String) -> Void) {
    rest += bytes
    var start = 0
    while let end = rest[start...].firstIndex(of: 0x0A) ?? (rest.count - start > Self.longest ? rest.count : nil) {
      pass(rest[start..<end], line)
      start = min(end + 1, rest.count)
    }
    rest.removeFirst(start)
  }

  mutating func end(_ line: (String) -> Void) {
    if !rest.isEmpty { pass(rest[...], line) }
    rest = []
    guard omitted > 0 else { return }
    line("… \(omitted) lines are not shown here\(place)")
  }

  /// The path of the log, once a line is in it.
  var logPath: String? {
    switch log {
    case .some(let log): log.path
    case .none: nil
    }
  }

  /// True if the log has lines that were not passed on.
  var isCut: Bool { omitted > 0 }

  private var place: String { logPath.map { ": see \($0)" } ?? "" }

  private mutating func pass(_ bytes: ArraySlice<UInt8>, _ line: (String) -> Void) {
    // A progress bar writes over its line.
    var bytes = Array(bytes)
    if bytes.last == 0x0D { bytes.removeLast() }
    if let start = bytes.lastIndex(of: 0x0D) { bytes = Array(bytes[(start + 1)...]) }
    for secret in secrets { bytes = bytes.replacing(secret, with: Self.mark) }
    let text = VisibleText.line(String(decoding: bytes, as: UTF8.self))
    last.append(text)
    if last.count > Self.kept { last.removeFirst() }
    log?.write(text)
    shownSize += text.utf8.count + 1
    guard shownSize > Self.shownLimit else { return line(text) }
    if omitted == 0 {
      line("… the step has written more than \(Self.shownLimit >> 20) MiB: the rest is not shown here\(place)")
    }
    omitted += 1
  }
}

extension [UInt8] {
  /// Without white space at its ends.
  fileprivate var trimmed: [UInt8] {
    let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
    guard let first = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) }) else {
      return []
    }
    return Array(self[first...last])
  }

  fileprivate func replacing(_ wanted: [UInt8], with other: [UInt8]) -> [UInt8] {
    guard !wanted.isEmpty, count >= wanted.count else { return self }
    var result: [UInt8] = []
    var place = 0
    while place < count {
      if place + wanted.count <= count, self[place] == wanted[0],
        self[place..<place + wanted.count].elementsEqual(wanted)
      {
        result += other
        place += wanted.count
      } else {
        result.append(self[place])
        place += 1
      }
    }
    return result
  }
}
