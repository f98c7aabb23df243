import Glibc

/// Bytes of a stream cut into messages, each ended by a NUL. It grows with what has come, not with what is announced.
struct MessageBuffer {
  /// A message that no honest peer sends.
  enum Violation: Error, Hashable {
    case tooLong(limit: Int)
    case notAnObject
    case tooDeep(limit: Int)
  }

  /// Deep enough for any message of ours, and shallow enough for any stack.
  static let maximumDepth = 128

  let maximumSize: Int
  private var bytes: [UInt8] = []
  private var head = 0
  /// No NUL stands before this place.
  private var searched = 0

  init(maximumSize: Int) {
    self.maximumSize = maximumSize
  }

  /// Bytes that are waiting for the rest of their message, or to be taken.
  var count: Int { bytes.count - head }
  var isEmpty: Bool { count == 0 }

  mutating func append(_ more: UnsafeRawBufferPointer) {
    if head > 0, head == bytes.count || head > 1 << 20 {
      bytes.removeFirst(head)
      searched -= head
      head = 0
    }
    bytes.append(contentsOf: more)
  }

  /// The next whole message without its NUL, `nil` until more bytes come.
  mutating func next() throws(Violation) -> [UInt8]? {
    if let first = bytes[head...].first, !Self.mayOpenObject(first) { throw .notAnObject }
    let end = bytes.withUnsafeBytes { all -> Int? in
      guard searched < all.count, let base = all.baseAddress else { return nil }
      guard let found = memchr(base + searched, 0, all.count - searched) else { return nil }
      return base.distance(to: UnsafeRawPointer(found))
    }
    guard (end ?? bytes.count) - head <= maximumSize else { throw .tooLong(limit: maximumSize) }
    guard let end else {
      searched = bytes.count
      return nil
    }
    let message = bytes[head..<end]
    guard Self.depth(of: message, isAtMost: Self.maximumDepth) else { throw .tooDeep(limit: Self.maximumDepth) }
    head = end + 1
    searched = head
    defer {
      if head == bytes.count {
        // A large message does not keep its memory.
        bytes.removeAll(keepingCapacity: bytes.count <= 1 << 16)
        head = 0
        searched = 0
      }
    }
    return Array(message)
  }

  /// Garbage is known by its first byte: a message is a JSON object, with white space before it at most.
  private static func mayOpenObject(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "{"), UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): true
    default: false
    }
  }

  /// True if brackets nest no deeper than `limit`. A recursive decoder gets only such messages.
  private static func depth(of message: ArraySlice<UInt8>, isAtMost limit: Int) -> Bool {
    message.withUnsafeBufferPointer { bytes in
      var depth = 0
      var inString = false
      var index = 0
      while index < bytes.count {
        switch bytes[index] {
        case UInt8(ascii: "\\") where inString: index += 1
        case UInt8(ascii: "\""): inString.toggle()
        case UInt8(ascii: "{") where !inString, UInt8(ascii: "[") where !inString:
          depth += 1
          if depth > limit { return false }
        case UInt8(ascii: "}") where !inString, UInt8(ascii: "]") where !inString: depth -= 1
        default: break
        }
        index += 1
      }
      return true
    }
  }
}

extension MessageBuffer.Violation: CustomStringConvertible {
  var description: String {
    switch self {
    case .tooLong(let limit): "a message of more than \(limit) bytes"
    case .notAnObject: "a message that is not a JSON object"
    case .tooDeep(let limit): "a message nested more than \(limit) deep"
    }
  }
}
