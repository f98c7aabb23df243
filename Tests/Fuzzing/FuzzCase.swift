/// One input: all that is random in it follows from its seed.
public struct FuzzCase: CustomStringConvertible {
  public let target: FuzzTarget
  public let seed: UInt64
  public var random: SeededGenerator

  init(_ target: FuzzTarget, seed: UInt64) {
    self.target = target
    self.seed = seed
    random = SeededGenerator(seed: seed)
  }

  /// The command that repeats this case.
  public var description: String { "tools/fuzz --only \(target.rawValue) --seed \(seed)" }

  /// Is true `percent` times in a hundred.
  public mutating func happens(_ percent: Int) -> Bool { Int.random(in: 1...100, using: &random) <= percent }

  public mutating func pick<Elements: Collection>(_ elements: Elements) -> Elements.Element? {
    elements.randomElement(using: &random)
  }

  /// One of `seeds` with a few things done to it that are likely to hurt.
  ///
  /// - Parameter words: what means something in this format, to be put anywhere.
  public mutating func mutant(of seeds: [[UInt8]], words: [[UInt8]] = []) -> [UInt8] {
    var bytes = pick(seeds) ?? []
    for _ in 0..<Int.random(in: 1...6, using: &random) { mutate(&bytes, seeds, words) }
    return bytes
  }

  private mutating func mutate(_ bytes: inout [UInt8], _ seeds: [[UInt8]], _ words: [[UInt8]]) {
    let place = Int.random(in: 0...bytes.count, using: &random)
    let end = min(bytes.count, place + Int.random(in: 0...20, using: &random))
    switch Int.random(in: 0..<11, using: &random) {
    case 0, 1: bytes.insert(contentsOf: pick(words) ?? [UInt8.random(in: 0...255, using: &random)], at: place)
    case 2: bytes.removeSubrange(place..<end)
    case 3: if place < bytes.count { bytes[place] = UInt8.random(in: 0...255, using: &random) }
    case 4: if place < bytes.count { bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random) }
    case 5: bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
    case 6: bytes.removeSubrange(place..<bytes.count)
    case 7: replaceNumber(in: &bytes, from: place)
    case 8: overwriteInteger(in: &bytes, at: place)
    case 9: bytes.insert(UInt8.random(in: 0...63, using: &random), at: place)
    default:
      // The head of one, the tail of another.
      let other = pick(seeds) ?? []
      let cut = Int.random(in: 0...other.count, using: &random)
      bytes.replaceSubrange(place..., with: other[cut...])
    }
  }

  private static let numbers = [
    "0", "-1", "1", "65535", "65536", "2147483648", "4294967296", "9223372036854775807", "-9223372036854775808",
    "9223372036854775808", "18446744073709551615", "99999999999999999999", "1e308", "-1e308", "1e19", "0.1", "-0",
  ]

  /// Puts an extreme number in the place of the next one that is written in digits.
  private mutating func replaceNumber(in bytes: inout [UInt8], from place: Int) {
    func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    guard let first = bytes[place...].firstIndex(where: isDigit) else { return }
    let end = bytes[first...].firstIndex { !isDigit($0) } ?? bytes.count
    bytes.replaceSubrange(first..<end, with: Array((pick(Self.numbers) ?? "0").utf8))
  }

  /// Puts an extreme number of 1, 2, 4 or 8 octets in the place of others, in either order of octets.
  private mutating func overwriteInteger(in bytes: inout [UInt8], at place: Int) {
    let size = 1 << Int.random(in: 0...3, using: &random)
    guard place + size <= bytes.count else { return }
    let highest = UInt64.max >> UInt64(64 - 8 * size)
    let value = pick([0, 1, 2, 3, 4, 0x7F, 0x80, highest, highest - 1, highest >> 1, (highest >> 1) + 1]) ?? 0
    let octets = (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    bytes.replaceSubrange(place..<place + size, with: happens(50) ? octets : octets.reversed())
  }
}
