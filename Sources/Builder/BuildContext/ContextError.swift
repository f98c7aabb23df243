import Kernel
import SystemPackage

/// A reason why files cannot be taken from a context. The caller knows the instruction that names them.
package struct ContextError: Error, Sendable, Hashable {
  /// One line, without a full stop.
  package var message: String
  package var remedy: String?

  package init(_ message: String, remedy: String? = nil) { (self.message, self.remedy) = (message, remedy) }

  init(_ action: String, _ path: [UInt8], _ error: Errno) {
    message = "cannot \(action) \(ContextPath.shown(path)): \(error)"
  }
}

/// Paths of a context: bytes between `/`, relative to its root, which is empty.
package enum ContextPath {
  static let slash = UInt8(ascii: "/")

  /// For messages: quoted, and nothing that would move a terminal's cursor.
  package static func shown(_ path: [UInt8]) -> String {
    "\"\(VisibleText.line(String(decoding: path.isEmpty ? [UInt8(ascii: ".")] : path, as: UTF8.self)))\""
  }

  static func joined(_ folder: [UInt8], _ name: [UInt8]) -> [UInt8] {
    folder.isEmpty ? name : folder + [slash] + name
  }

  /// The parts of a path from the root. `..` at the root stays there.
  static func parts(_ path: [UInt8]) -> [[UInt8]] {
    var parts: [[UInt8]] = []
    for part in path.split(separator: slash) where !part.elementsEqual(".".utf8) {
      if part.elementsEqual("..".utf8) {
        _ = parts.popLast()
      } else {
        parts.append(Array(part))
      }
    }
    return parts
  }

  /// With its NUL, as calls take it.
  static func cString(_ path: [UInt8]) -> [CChar] {
    (path.isEmpty ? [UInt8(ascii: ".")] : path).map(CChar.init(bitPattern:)) + [0]
  }
}
