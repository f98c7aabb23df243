import Kernel

/// The lines that a step writes. Values of secrets are not shown.
struct StepOutput {
  private var rest: [UInt8] = []
  private let secrets: [[UInt8]]
  /// The last of them, for the error.
  private(set) var last: [String] = []
  private static let kept = 20
  private static let longest = 1 << 16
  private static let mark = Array("***".utf8)

  init(secrets: [[UInt8]]) {
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
  }

  private mutating func pass(_ bytes: ArraySlice<UInt8>, _ line: (String) -> Void) {
    // A progress bar writes over its line.
    var bytes = Array(bytes)
    if bytes.last == 0x0D { bytes.removeLast() }
    if let start = bytes.lastIndex(of: 0x0D) { bytes = Array(bytes[(start + 1)...]) }
    for secret in secrets { bytes = bytes.replacing(secret, with: Self.mark) }
    let text = VisibleText.line(String(decoding: bytes, as: UTF8.self))
    last.append(text)
    if last.count > Self.kept { last.removeFirst() }
    line(text)
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
