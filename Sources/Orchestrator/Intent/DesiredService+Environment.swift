import Glibc
import Vocabulary

extension DesiredService {
  /// The environment of its processes: the file's variables, and as with Docker the host's name and the kind of
  /// terminal. These two are not recorded, so they make no service differ from its file.
  ///
  /// - Parameter terminal: nil for a process without one.
  package func environment(terminal: String?) -> [String: String] {
    var variables = ["HOSTNAME": settings.usesHostNames ? Self.nameOfHost : hostname]
    if let terminal { variables["TERM"] = terminal }
    return variables.merging(process.environment) { _, declared in declared }
  }

  /// The terminal of a service that has one. What will be attached to it is not known.
  package var terminalKind: String? { process.hasTerminal ? "xterm" : nil }

  private static var nameOfHost: String {
    var name = utsname()
    uname(&name)
    return withUnsafeBytes(of: &name.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
