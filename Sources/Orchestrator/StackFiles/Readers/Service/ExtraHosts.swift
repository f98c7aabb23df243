import Addresses

extension Field {
  /// `extra_hosts:`: a list of `name=address` or `name:address`, or a mapping from names to an address or several.
  func extraHosts() -> [StackFile.ExtraHost] {
    if let items = node.items { return items.compactMap { with($0).extraHost() } }
    guard node.isNull || node.entries != nil else {
      reportShape("a list of name=address or a mapping")
      return []
    }
    return (node.entries ?? []).flatMap { entry -> [StackFile.ExtraHost] in
      let name = Node(.scalar(Node.Scalar(text: entry.key.value, isPlain: false)), entry.key.span)
      guard let name = with(name).hostname() else { return [] }
      let value = self.entry(entry)
      let addresses = entry.value.items.map { $0.map { value.with($0) } } ?? [value]
      return addresses.compactMap { field in
        field.nonEmptyText().flatMap { field.extraHostAddress($0) }.map { StackFile.ExtraHost(name: name, address: $0) }
      }
    }
  }

  /// The name ends at the first `=`, and where there is none at the first `:`, as Compose has it.
  private func extraHost() -> StackFile.ExtraHost? {
    guard let text = nonEmptyText() else { return nil }
    let bytes = Array(text.value.utf8)
    guard let sign = bytes.firstIndex(of: UInt8(ascii: "=")) ?? bytes.firstIndex(of: UInt8(ascii: ":")) else {
      report(
        .badExtraHost, "\"\(Self.shortened(text.value))\" gives a name no address",
        help: ["write the name and its address: \"files=10.0.0.5\""])
      return nil
    }
    let name = String(decoding: bytes[..<sign], as: UTF8.self)
    let address = Located(String(decoding: bytes[(sign + 1)...], as: UTF8.self), node.span(of: sign + 1..<bytes.count))
    guard let name = with(Node(.scalar(Node.Scalar(text: name, isPlain: false)), node.span(of: 0..<sign))).hostname()
    else { return nil }
    return extraHostAddress(address).map { StackFile.ExtraHost(name: name, address: $0) }
  }

  private func extraHostAddress(_ text: Located<String>) -> Located<StackFile.ExtraHost.Address>? {
    if text.value == StackFile.ExtraHost.Address.gatewayWord { return text.map { _ in .gateway } }
    let isBracketed = text.value.hasPrefix("[") && text.value.hasSuffix("]")
    let bare = isBracketed ? String(text.value.dropFirst().dropLast()) : text.value
    guard let address = IPAddress(bare) else {
      report(
        .badExtraHost, "\"\(Self.shortened(text.value))\" is not an address", at: text.span,
        help: ["write an IPv4 or IPv6 address, or \(StackFile.ExtraHost.Address.gatewayWord) for the service's host"])
      return nil
    }
    return text.map { _ in .fixed(address) }
  }
}
