/// The /etc/resolv.conf that services see: the host's, less what cannot be reached from inside.
enum ResolverFile {
  /// - Parameter host: the host's own file (resolv.conf(5)).
  static func forServices(host: String) -> String {
    let lines = host.split(whereSeparator: \.isNewline).filter { line in
      let words = line.split(whereSeparator: \.isWhitespace)
      guard words.first == "nameserver", words.count > 1 else { return !line.hasPrefix("#") && !line.hasPrefix(";") }
      // A resolver on the host's loopback is not on the service's, and the service has no IPv6.
      return !words[1].hasPrefix("127.") && !words[1].contains(":")
    }
    return lines.map { "\($0)\n" }.joined()
  }

  /// - Parameter paths: the host's own file, then where systemd-resolved keeps the resolvers that it asks itself, for
  ///   hosts whose file names only its own 127.0.0.53 (systemd-resolved.service(8)).
  static func forServices(
    paths: [String] = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"]
  ) -> String {
    let files = paths.map { path in
      let bytes = (try? Files.read(path, limit: 1 << 16)) ?? nil
      return forServices(host: String(decoding: bytes ?? [], as: UTF8.self))
    }
    return files.first { $0.hasPrefix("nameserver") || $0.contains("\nnameserver") } ?? files.first ?? ""
  }
}
