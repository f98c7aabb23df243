import Kernel

/// A path in a layer, relative to its root: parts, each of which is bytes. A layer's names need not be text.
package struct EntryName: Hashable, Sendable {
  package typealias Part = [UInt8]

  package var parts: [Part]

  package static let longest = 4096
  package static let longestPart = 255

  package init(parts: [Part]) { self.parts = parts }

  /// Drops leading slashes, doubled ones and `.`.
  ///
  /// - Throws: that it leads upwards, or is longer than the kernel takes.
  package init(_ bytes: some Collection<UInt8>) throws(LayerError) {
    parts = Self.parts(of: bytes)
    guard !parts.contains([0x2E, 0x2E]) else { throw LayerError("\(Self.text(bytes)) leads out of the layer") }
    guard bytes.count <= Self.longest, parts.allSatisfy({ $0.count <= Self.longestPart }) else {
      throw LayerError("\(Self.text(bytes)) is longer than a name can be")
    }
  }

  /// The parts between slashes, without `.`.
  static func parts(of bytes: some Collection<UInt8>) -> [Part] {
    Array(bytes).split(separator: UInt8(ascii: "/")).map { Array($0) }.filter { $0 != [0x2E] }
  }

  package var isRoot: Bool { parts.isEmpty }
  package var parent: EntryName { EntryName(parts: parts.dropLast()) }
  package var last: Part { parts.last ?? [] }

  package func appending(_ part: Part) -> EntryName { EntryName(parts: parts + [part]) }

  /// With a NUL at its end, for calls that take a path relative to a folder; `.` for the root.
  package var path: [CChar] {
    guard !parts.isEmpty else { return [0x2E, 0] }
    return Self.cString(joined)
  }

  static func cString(_ bytes: [UInt8]) -> [CChar] { bytes.map(CChar.init(bitPattern:)) + [0] }

  package var text: String { Self.text(joined) }

  private var joined: [UInt8] { Array(parts.joined(separator: [0x2F])) }

  static func text(_ bytes: some Collection<UInt8>) -> String {
    "\"\(VisibleText.line(String(decoding: Array(bytes.prefix(300)), as: UTF8.self)))\""
  }

  /// True if this lies below another, or is it.
  package func isWithin(_ other: EntryName) -> Bool { parts.starts(with: other.parts) }
}

/// A whiteout: a name by which a layer removes something of the layers below it (OCI image specification, layer.md).
enum Whiteout: Hashable {
  /// A name of a lower layer is gone.
  case removes(EntryName)
  /// All that lower layers have in the folder is gone.
  case empties(EntryName)
  /// A name that AUFS kept for itself.
  case rubbish

  private static let prefix = Array(".wh.".utf8)

  /// Nil where the name is a plain one.
  init?(_ name: EntryName) throws(LayerError) {
    guard name.last.starts(with: Self.prefix) else {
      // Below the folder that AUFS kept the targets of links in.
      guard name.parts.contains(where: { $0.starts(with: Self.prefix + Self.prefix) }) else { return nil }
      self = .rubbish
      return
    }
    let rest = Array(name.last.dropFirst(Self.prefix.count))
    if rest == Self.prefix + Array(".opq".utf8) {
      self = .empties(name.parent)
    } else if rest.starts(with: Self.prefix) {
      self = .rubbish
    } else if [[], [0x2E], [0x2E, 0x2E]].contains(rest) {
      throw LayerError("\(name.text) removes no name that there could be")
    } else {
      self = .removes(name.parent.appending(rest))
    }
  }
}
