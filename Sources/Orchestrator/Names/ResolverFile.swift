/// The /etc/resolv.conf that services see: the host's, less what cannot be reached from inside.
enum ResolverFile {
  /// - Parameter host: the host's own file (resolv.conf(5)).
  static func forServices(host: String) -> String {
    let lines = host.split(separator: "\n", omittingEmptySubsequences: true).filter { line in
      let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
      guard words.first == "nameserver", words.count > 1 else { return !line.hasPrefix("#") && !line.hasPrefix(";") }
      // A resolver on the host's loopback is not on the service's.
      return !words[1].hasPrefix("127.") && words[1] != "::1"
    }
    return lines.map { "\($0)\n" }.joined()
  }

  static func forServices() -> String {
    let bytes = (try? Files.read("/etc/resolv.conf", limit: 1 << 16)) ?? nil
    return forServices(host: String(decoding: bytes ?? [], as: UTF8.self))
  }
}
