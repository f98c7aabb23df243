/// A mark in the datagrams and echo requests of one run, which tells them from all others.
struct ProbeToken {
  private let secret: [UInt8]

  static let length = 16

  init() {
    secret = (0..<12).map { _ in UInt8.random(in: 0...255) }
  }

  func bytes(_ index: Int) -> [UInt8] {
    secret + (0..<4).map { UInt8(truncatingIfNeeded: index >> (8 * $0)) }
  }

  /// The number of the question that a payload belongs to; nil when it is not one of this run's.
  func index(in payload: ArraySlice<UInt8>) -> Int? {
    guard payload.count >= Self.length, payload.prefix(secret.count).elementsEqual(secret) else { return nil }
    return payload.dropFirst(secret.count).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// The same of one that stands anywhere in a frame.
  func index(within frame: ArraySlice<UInt8>) -> Int? {
    guard let first = secret.first else { return nil }
    var rest = frame
    while let start = rest.firstIndex(of: first) {
      rest = rest[start...]
      if let index = index(in: rest) { return index }
      rest = rest.dropFirst()
    }
    return nil
  }
}
