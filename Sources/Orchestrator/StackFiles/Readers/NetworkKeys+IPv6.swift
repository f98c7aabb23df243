import Addresses

extension Field {
  /// True if the value can only be meant as IPv6.
  var isIPv6: Bool { node.scalar?.text.contains(":") ?? false }

  func ipv6Address() -> Located<IPv6Address>? {
    guard let text = nonEmptyText() else { return nil }
    guard let address = IPv6Address(text.value) else {
      let isOther = IPAddress(text.value) != nil
      report(
        .badAddress, "\"\(Self.shortened(text.value))\" is not an IPv6 address",
        isOther ? "this is an IPv4 address" : "", help: isOther ? [] : ["write it as in fd00:1::5"])
      return nil
    }
    return Located(address, text.span)
  }

  /// A subnet of IPv6 that services can live in.
  func subnet6() -> Located<IPv6Prefix>? {
    guard let text = nonEmptyText() else { return nil }
    guard let value = IPv6Prefix(text.value) else {
      report(
        .badSubnet, "\"\(Self.shortened(text.value))\" is not a subnet", meantSubnet6(text.value),
        help: ["write the network's address and its length: fd00:1::/64"])
      return nil
    }
    guard value.length <= 127 else {
      reportNoRoom(in: .v6(value))
      return nil
    }
    guard value.length >= 16 else {
      report(.unusableSubnet, "\(value) is too large", "a subnet's length is 16 to 126")
      return nil
    }
    for (block, words) in IPv6Prefix.notForHosts where block.overlaps(value) {
      report(
        .unusableSubnet, "\(value) is not for hosts", "\(block) is \(words)",
        help: ["choose one in fd00::/8, or leave it out and one is chosen"])
      return nil
    }
    return Located(value, text.span)
  }

  func meantSubnet6(_ text: String) -> String {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard let address = IPv6Address(parts[0]) else { return "" }
    let length = parts.count == 2 ? Int(parts[1]) : 64
    return length.flatMap { IPv6Prefix(containing: address, length: $0) }.map { "did you mean \"\($0)\"?" } ?? ""
  }
}

extension IPv6Prefix {
  /// Special-purpose blocks (RFC 6890; RFC 4291) that no interface of a service can have.
  static let notForHosts: [(prefix: IPv6Prefix, words: String)] = [
    ("::/16", "reserved, with ::1"), ("64:ff9b::/96", "for translation from IPv4"), ("fe80::/10", "link-local"),
    ("ff00::/8", "multicast"),
  ].compactMap { text, words in IPv6Prefix(text).map { ($0, words) } }
}
