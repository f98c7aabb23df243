import Digests
import Glibc
import ImageReference

/// The digests of files that were hashed before, by the state in which each was.
///
/// A file whose state is the same need not be read. The kernel's clock moves in steps, so a change soon after another
/// may leave the time as it is: what was changed in the last two seconds before it was read is not remembered.
package struct DigestMemory: Sendable {
  /// SHA-256 of a file's attributes and data.
  package struct Digest: Sendable, Hashable {
    var words: (UInt64, UInt64, UInt64, UInt64)

    init(_ bytes: some Collection<UInt8>) {
      var reader = Array(bytes)[...]
      words = (reader.takeWord(), reader.takeWord(), reader.takeWord(), reader.takeWord())
    }

    package var bytes: [UInt8] {
      [words.0, words.1, words.2, words.3].flatMap { $0.littleEndianBytes }
    }

    package static func == (left: Self, right: Self) -> Bool { left.words == right.words }

    package func hash(into hasher: inout Hasher) {
      hasher.combine(words.0)
      hasher.combine(words.1)
    }
  }

  private var digests: [FileIdentity: Digest] = [:]
  /// Those that this build asked for or made. Only they are kept, up to a limit.
  private var used: Set<FileIdentity> = []
  /// True if there is something to write.
  package private(set) var isChanged = false
  /// The number of files that were read.
  package private(set) var readCount = 0

  /// 72 bytes each: 36 MB at most.
  static let limit = 500_000
  private static let magic = Array("stack file digests 1\n".utf8)
  private static let recordSize = 72
  /// Seconds.
  private static let freshness: Int64 = 2

  package init() {}

  // MARK: - Looking up

  mutating func digest(of identity: FileIdentity) -> Digest? {
    guard let digest = digests[identity] else { return nil }
    used.insert(identity)
    return digest
  }

  /// - Parameter start: The time before the file was opened.
  mutating func remember(_ digest: Digest, of identity: FileIdentity, readAt start: FileTime) {
    readCount += 1
    guard identity.changed.seconds + Self.freshness < start.seconds, digests.count < Self.limit else { return }
    digests[identity] = digest
    used.insert(identity)
    isChanged = true
  }

  // MARK: - The file

  /// Reads the bytes of ``encoded()``. Bytes that are damaged, or of another version, count as nothing.
  package init(_ bytes: [UInt8]) {
    let end = bytes.count - 32
    guard bytes.starts(with: Self.magic), end >= Self.magic.count,
      (end - Self.magic.count).isMultiple(of: Self.recordSize), let sum = Self.sum(bytes[..<end]),
      sum.elementsEqual(bytes[end...])
    else { return }
    digests.reserveCapacity((end - Self.magic.count) / Self.recordSize)
    var rest = bytes[Self.magic.count..<end]
    while !rest.isEmpty {
      let identity = FileIdentity(
        device: rest.takeWord(), inode: rest.takeWord(),
        changed: FileTime(
          seconds: Int64(bitPattern: rest.takeWord()), nanoseconds: Int64(bitPattern: rest.takeWord())),
        size: rest.takeWord())
      digests[identity] = Digest(rest.prefix(32))
      rest = rest.dropFirst(32)
    }
  }

  /// The bytes to keep. Of many records those that this build did not need are left out.
  package func encoded() -> [UInt8]? {
    let isFull = digests.count > Self.limit / 2
    var bytes = Self.magic
    bytes.reserveCapacity(bytes.count + digests.count * Self.recordSize + 32)
    for (identity, digest) in digests where !isFull || used.contains(identity) {
      let numbers = [
        identity.device, identity.inode, UInt64(bitPattern: identity.changed.seconds),
        UInt64(bitPattern: identity.changed.nanoseconds), identity.size,
      ]
      for number in numbers { bytes += number.littleEndianBytes }
      bytes += digest.bytes
    }
    guard let sum = Self.sum(bytes[...]) else { return nil }
    return bytes + sum
  }

  private static func sum(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
    guard var hash = try? ContentHash() else { return nil }
    bytes.withUnsafeBytes { hash.add($0) }
    return try? hash.rawBytes()
  }
}

extension UInt64 {
  var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}

extension ArraySlice<UInt8> {
  /// Eight bytes as a number, the least first. Missing ones are 0.
  mutating func takeWord() -> UInt64 {
    let word = prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    self = dropFirst(8)
    return word
  }
}
