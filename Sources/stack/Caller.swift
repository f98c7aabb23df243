import Glibc

/// The environment, working folder and descriptors that the process was started with.
enum Caller {
  /// The environment; of a name that stands twice, the first.
  static var environment: [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2, variables[String(parts[0])] == nil { variables[String(parts[0])] = String(parts[1]) }
      entry += 1
    }
    return variables
  }

  /// Puts /dev/null in the place of 0, 1 and 2 that the caller has closed: else the next descriptor that is opened would be
  /// taken for one of them, by this program and by what it starts.
  static func fillStandardDescriptors() {
    for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 {
      _ = open("/dev/null", O_RDWR)
    }
  }

  /// The stack that commands are about which name none.
  static var projectName: String? {
    environment["COMPOSE_PROJECT_NAME"].flatMap { $0.isEmpty ? nil : $0 }
  }

  static var workingFolder: String {
    guard let path = getcwd(nil, 0) else { return "/" }
    defer { free(path) }
    return String(cString: path)
  }
}
