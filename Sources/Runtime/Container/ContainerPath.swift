/// A path inside a container.
enum ContainerPath {
  /// Lexically, as Docker does: `/a/../b//c/.` is `/b/c`, and nothing climbs above `/`.
  static func normalized(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") {
      switch part {
      case ".": continue
      case "..": _ = parts.popLast()
      default: parts.append(part)
      }
    }
    return "/" + parts.joined(separator: "/")
  }

  /// The paths at which execvp(3) would look for `command`, given the environment it will have.
  static func candidates(for command: String, environment: [String]) -> [String] {
    if command.isEmpty { return [] }
    if command.utf8.contains(UInt8(ascii: "/")) { return [command] }
    let path = environment.last { $0.hasPrefix("PATH=") }?.dropFirst(5) ?? Substring(defaultSearchPath)
    return path.split(separator: ":", omittingEmptySubsequences: false).map { folder in
      folder.isEmpty ? command : "\(folder)/\(command)"
    }
  }

  static let defaultSearchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}
