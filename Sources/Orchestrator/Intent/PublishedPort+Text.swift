import Addresses
import Vocabulary

// A port is recorded as one line, as `ps` shows it. Reading a thousand lines takes a fraction of the time of a thousand
// trees of keys.
extension PublishedPort: LosslessStringConvertible {
  /// - Returns: nil for what is no published port.
  package init?(_ description: String) {
    let parts = description.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
    let words = parts[0].split(separator: " ")
    guard words.count == 1 || words.count == 3 && words[1] == "from" else { return nil }
    let ends = words[0].split(separator: "-", maxSplits: 1)
    guard ends.count == 2, ends[1].first == ">", let host = Self.host(ends[0]),
      let target = Self.target(ends[1].dropFirst())
    else { return nil }
    (hostAddress, hostPort, self.target) = (host.address, host.port, target)
    declaredAt = parts.count == 2 ? SourceLine(String(parts[1])) : nil
    guard words.count == 3 else { return }
    let ranges = words[2].split(separator: ",").map { IPPrefix(String($0)) }
    guard !ranges.contains(nil) else { return nil }
    sources = ranges.compactMap(\.self)
  }

  /// Its summary, who may reach it, and after a tab its place in the file.
  package var description: String {
    let senders = sources.map { " from \($0.map(\.description).joined(separator: ","))" } ?? ""
    return summary + senders + (declaredAt.map { "\t\($0)" } ?? "")
  }

  /// `8080`, `127.0.0.1:8080`, `[::1]:8080`.
  private static func host(_ text: Substring) -> (address: IPAddress?, port: UInt16)? {
    guard let colon = text.lastIndex(of: ":") else { return UInt16(text).map { (nil, $0) } }
    let address = text[..<colon].drop { $0 == "[" }
    guard let port = UInt16(text[text.index(after: colon)...]),
      let address = IPAddress(String(address.last == "]" ? address.dropLast() : address))
    else { return nil }
    return (address, port)
  }

  private static func target(_ text: Substring) -> ListeningPort? {
    let parts = text.split(separator: "/")
    guard parts.count == 2, let port = UInt16(parts[0]), let transport = TransportProtocol(rawValue: String(parts[1]))
    else { return nil }
    return ListeningPort(port: port, transport: transport)
  }
}

extension PublishedPort: Codable {
  package init(from decoder: any Decoder) throws { self = try decoder.decodeText() }
  package func encode(to encoder: any Encoder) throws { try encoder.encodeText(self) }
}
