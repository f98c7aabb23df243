import Addresses

extension Field {
  /// `claims:` of a network attachment: addresses, ranges, hardware addresses, `dhcp`, `any`.
  func claims() -> [Located<StackFile.Claim>] {
    (items() ?? []).compactMap { item in
      guard let text = item.nonEmptyText() else { return nil }
      return item.claim(text.value).map { Located($0, text.span) }
    }
  }

  private func claim(_ text: String) -> StackFile.Claim? {
    if text == "dhcp" { return .dhcp }
    if text == "any" { return .any }
    if let hardware = MACAddress(text) {
      guard !hardware.isMulticast, hardware.bits != 0 else {
        report(.badMACAddress, "\"\(hardware)\" cannot be an interface's address", "it is a group's, or nobody's")
        return nil
      }
      return .hardware(hardware)
    }
    let prefix = IPPrefix(text) ?? IPAddress(text).flatMap { IPPrefix(containing: $0, length: $0.octets.count * 8) }
    guard let prefix, !prefix.network.isNobodys else {
      report(
        .badAddress, "\"\(Self.shortened(text))\" is nothing that a service can claim",
        help: ["write an address, a range, a hardware address, dhcp, or any: [10.1.0.100, 00:00:5e:00:01:0a]"])
      return nil
    }
    guard prefix.length >= (prefix.network.isV4 ? 8 : 16) else {
      report(.badAddress, "\(prefix) is too wide a claim", help: ["name the range that the service needs"])
      return nil
    }
    return .prefix(prefix)
  }
}

extension IPAddress {
  /// Groups, loopback and what stands for no address.
  fileprivate var isNobodys: Bool {
    switch self {
    case .v4(let address): address.octets[0] == 0 || address.isLoopback || address.octets[0] >= 224
    case .v6(let address): address.octets[0] == 0xFF || address.octets.dropLast().allSatisfy { $0 == 0 }
    }
  }
}
