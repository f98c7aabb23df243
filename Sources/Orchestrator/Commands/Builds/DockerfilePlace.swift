import BuildContext
import Kernel

/// The place of a Dockerfile: in the context, or elsewhere on the host.
struct DockerfilePlace {
  /// Absolute, without `.` and `..`.
  let path: String
  /// Relative to the context; nil for a file of elsewhere.
  private let inner: String?

  /// - Parameters:
  ///   - text: relative to the context, or absolute.
  ///   - context: absolute.
  init(_ text: String, context: String) {
    path = (text.hasPrefix("/") ? text : "\(context)/\(text)").withoutDots
    let folder = context == "/" ? "/" : context + "/"
    inner = path.hasPrefix(folder) ? String(path.dropFirst(folder.count)) : nil
  }

  /// The contents of the file, or of one beside it. A file in the context is read as the context's own files are: it may be
  /// a link, and does not lead out of it.
  ///
  /// - Parameter suffix: what the name has behind that of the Dockerfile.
  /// - Returns: nil where there is none.
  func read(_ suffix: String = "", limit: Int, in root: ContextRoot) throws -> [UInt8]? {
    guard let inner else { return try Files.read(path + suffix, limit: limit) }
    return try root.file(inner + suffix, limit: limit)
  }
}

extension String {
  /// An absolute path without `.`, `..` and repeated `/`.
  var withoutDots: String {
    var parts: [Substring] = []
    for part in split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }
}
