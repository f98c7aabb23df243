import Glibc

/// The output that a service wrote to.
package enum LogStream: UInt8, Hashable, Sendable, CaseIterable {
  case stdout, stderr

  var name: StaticString {
    switch self {
    case .stdout: "stdout"
    case .stderr: "stderr"
    }
  }
}

/// One line of a log file in the Container Runtime Interface's format
/// (https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md):
/// time, stream, `F` for a whole line or its end or `P` for a part that goes on in the stream's next record, content.
struct LogRecord {
  /// `2016-10-06T00:17:09.669794202Z stdout F ` in bytes.
  static let headerLength = LogTime.textLength + 10
  /// The longest content that is written. A reader takes more.
  static let longestContent = 16_384

  let time: LogTime
  let stream: LogStream
  let isPartial: Bool
  /// The offset of the content in the line.
  let contentOffset: Int

  /// Reads a line without its newline; `nil` for what is no record, such as one that a crash cut short.
  init?(line: UnsafeRawBufferPointer) {
    guard let timeEnd = line.prefix(64).firstIndex(of: UInt8(ascii: " ")),
      let time = LogTime(rfc3339: line[..<timeEnd])
    else { return nil }
    let rest = line[(timeEnd + 1)...]
    guard let stream = LogStream.allCases.first(where: { rest.starts(with: UnsafeBufferPointer($0.name)) }) else {
      return nil
    }
    // A tag may be followed by others, after colons; then comes a space, which an empty line may lack.
    let tags = rest.dropFirst(7)
    guard rest.dropFirst(6).first == UInt8(ascii: " "), let tag = tags.first else { return nil }
    guard tag == UInt8(ascii: "F") || tag == UInt8(ascii: "P") else { return nil }
    let tagsEnd = tags.prefix(64).firstIndex(of: UInt8(ascii: " "))
    guard tagsEnd != nil || tags.count == 1,
      tags.count == 1 || tagsEnd == tags.startIndex + 1 || tags.dropFirst().first == UInt8(ascii: ":")
    else { return nil }
    self.time = time
    self.stream = stream
    isPartial = tag == UInt8(ascii: "P")
    contentOffset = tagsEnd.map { $0 + 1 } ?? line.endIndex
  }

  /// Writes a header to the first ``headerLength`` bytes of `bytes`.
  static func writeHeader(
    _ time: LogTime, _ stream: LogStream, isPartial: Bool, to bytes: UnsafeMutableRawBufferPointer
  ) {
    guard bytes.count >= headerLength else { return }
    time.write(to: bytes)
    bytes[30] = UInt8(ascii: " ")
    UnsafeMutableRawBufferPointer(rebasing: bytes[31..<37]).copyBytes(from: UnsafeBufferPointer(stream.name))
    bytes[37] = UInt8(ascii: " ")
    bytes[38] = isPartial ? UInt8(ascii: "P") : UInt8(ascii: "F")
    bytes[39] = UInt8(ascii: " ")
  }

  /// A whole record.
  static func encode(_ content: some Collection<UInt8>, _ time: LogTime, _ stream: LogStream) -> [UInt8] {
    var record = [UInt8](repeating: 0, count: headerLength)
    record.withUnsafeMutableBytes { writeHeader(time, stream, isPartial: false, to: $0) }
    return record + content + [UInt8(ascii: "\n")]
  }
}

extension UnsafeBufferPointer<UInt8> {
  fileprivate init(_ text: StaticString) {
    self.init(start: text.utf8Start, count: text.utf8CodeUnitCount)
  }
}
