/// Paths as text; nothing is looked up.
enum Path {
  /// Without `.`, `..`, doubled and trailing slashes. The path must be absolute; `..` stops at the root.
  static func normalized(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }

  static func resolve(_ path: String, in folder: String) -> String {
    normalized(path.hasPrefix("/") ? path : "\(folder)/\(path)")
  }

  /// The last part, and what stands before it.
  static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = slash == path.startIndex ? "/" : String(path[..<slash])
    return (folder, String(path[path.index(after: slash)...]))
  }
}

extension Field {
  /// A path of the host: absolute, from the stack's folder, or from the caller's home.
  func hostPath(_ path: Located<String>) -> String? {
    guard path.value == "~" || path.value.hasPrefix("~/") else {
      if path.value.hasPrefix("~") {
        report(.badPath, "\"\(path.value)\": only the caller's own ~ is known", at: path.span)
        return nil
      }
      return Path.resolve(path.value, in: context.folder(of: path.span))
    }
    guard let home = context.home, home.hasPrefix("/") else {
      report(.badPath, "\"~\" stands for the home folder, and HOME is not set", at: path.span)
      return nil
    }
    return Path.normalized(home + path.value.dropFirst())
  }

  /// A path inside the service.
  func servicePath(_ path: Located<String>, what: String) -> Located<String>? {
    guard path.value.hasPrefix("/") else {
      let label = path.value.isEmpty ? "" : "did you mean \"/\(path.value)\"?"
      report(.badPath, "\(what) must be an absolute path", label, at: path.span)
      return nil
    }
    guard !path.value.utf8.contains(0), path.value.utf8.count < 4096 else {
      report(.badPath, "\(what) is not a path that the kernel takes", at: path.span)
      return nil
    }
    return Located(Path.normalized(path.value), path.span)
  }

  /// A path below a volume's folder.
  func subpath(_ path: Located<String>) -> String? {
    let parts = path.value.split(separator: "/").filter { $0 != "." }
    guard !path.value.hasPrefix("/"), !parts.contains(".."), !parts.isEmpty else {
      report(
        .badPath, "\"\(Self.shortened(path.value))\" is not a path within a volume", at: path.span,
        help: ["write it from the volume's folder, without `..`: data/pages"])
      return nil
    }
    return parts.joined(separator: "/")
  }

  /// A mount's target: an absolute path inside the service, below its root.
  func target(_ path: Located<String>) -> Located<String>? {
    guard let path = servicePath(path, what: "a mount's target") else { return nil }
    guard path.value != "/" else {
      report(.badPath, "nothing can be mounted on \"/\"", at: path.span, help: ["use `rootfs:` to choose the root"])
      return nil
    }
    return path
  }
}
