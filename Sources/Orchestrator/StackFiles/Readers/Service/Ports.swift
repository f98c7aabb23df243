import Addresses

/// One port entry's text, cut into its parts: `[IP:][host[-host]:]container[-container][/tcp|udp|sctp]`.
struct PortText {
  /// The parts, with their place in bytes of the text.
  var address: (text: String, range: Range<Int>)?
  var host: (text: String, range: Range<Int>)?
  var container: (text: String, range: Range<Int>)
  var transport: (text: String, range: Range<Int>)?

  /// Everything but the last two parts is the address, so that IPv6 needs no brackets (`::1:80:80`).
  init(_ text: String) {
    let bytes = Array(text.utf8)
    func part(_ range: Range<Int>) -> (String, Range<Int>) {
      (String(decoding: bytes[range], as: UTF8.self), range)
    }
    var end = bytes.count
    if let slash = bytes.lastIndex(of: UInt8(ascii: "/")) {
      transport = part(slash + 1..<end)
      end = slash
    }
    let colons = bytes[..<end].indices.filter { bytes[$0] == UInt8(ascii: ":") }
    guard let last = colons.last else {
      container = part(0..<end)
      return
    }
    container = part(last + 1..<end)
    guard let second = colons.dropLast().last else {
      host = part(0..<last)
      return
    }
    host = part(second + 1..<last)
    let isBracketed = bytes[0] == UInt8(ascii: "[") && bytes[second - 1 < 0 ? 0 : second - 1] == UInt8(ascii: "]")
    address = isBracketed && second >= 2 ? part(1..<second - 1) : part(0..<second)
  }
}

extension Field {
  func publishedPort() -> StackFile.PublishedPort? {
    if node.entries != nil { return longPort() }
    guard let text = nonEmptyText() else { return nil }
    let parts = PortText(text.value)
    let transport = parts.transport.map { transportProtocol($0.text, at: node.span(of: $0.range)) } ?? .tcp
    guard let container = portRange(parts.container.text, at: node.span(of: parts.container.range)) else {
      return nil
    }
    var address: IPAddress?
    if let written = parts.address, !written.text.isEmpty {
      guard let parsed = hostAddress(written.text, at: node.span(of: written.range)) else { return nil }
      address = parsed
    }
    var host: ClosedRange<UInt16>?
    // Port 0 of the host is any that is free, as for bind(2).
    if let written = parts.host, !written.text.isEmpty, written.text != "0" {
      guard let parsed = portRange(written.text, at: node.span(of: written.range)) else { return nil }
      host = parsed
    }
    guard let transport, isPublishable(transport) else { return nil }
    return published(host: host, container: container, address: address, transport: transport)
  }

  private func longPort() -> StackFile.PublishedPort? {
    var draft = LongPort()
    LongPort.keys.read(self, into: &draft)
    guard let target = draft.target else {
      if node["target"] == nil {
        report(.missingKey, "a port needs a \"target\"", help: ["write `target: 80`, the port inside the service"])
      }
      return nil
    }
    guard !draft.isBroken, isPublishable(draft.transport) else { return nil }
    var port = published(host: draft.published, container: target, address: draft.address, transport: draft.transport)
    port?.sources = draft.sources
    return port
  }

  private func published(
    host: ClosedRange<UInt16>?, container: ClosedRange<UInt16>, address: IPAddress?,
    transport: StackFile.TransportProtocol
  ) -> StackFile.PublishedPort? {
    var ports = StackFile.PublishedPort.HostPorts.free
    if let host {
      if host.count == container.count {
        ports = .fixed(host)
      } else if container.count == 1 {
        ports = .oneOf(host)
      } else {
        report(
          .rangeLengths, "the host's range has \(host.count) ports and the container's \(container.count)",
          help: ["give both the same length, or the container a single port"])
        return nil
      }
    }
    return StackFile.PublishedPort(
      address: address, host: ports, container: container, transport: transport, span: node.span)
  }

  /// False, with a note, for SCTP: services reach each other by it, and the host's ports lead to none.
  private func isPublishable(_ transport: StackFile.TransportProtocol) -> Bool {
    guard transport == .sctp else { return true }
    report(.ignoredKey, "a port of SCTP is not published: other services reach it at the service's own address")
    return false
  }

  // MARK: - Parts

  func portRange(_ text: String, at span: Span) -> ClosedRange<UInt16>? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    let isNumeric = parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
    guard (1...2).contains(parts.count), isNumeric else {
      report(
        .badPort, "\"\(Self.shortened(text))\" is not a port", at: span,
        help: [
          "write HOST:CONTAINER, as in \"8080:80\"; before it an address, after it /udp; or ranges, 8000-8002:80-82"
        ])
      return nil
    }
    let ports = parts.map { UInt16($0) }
    guard let first = ports[0], let last = ports[ports.count - 1], first > 0, last > 0 else {
      report(.portOutOfRange, "\"\(Self.shortened(text))\": ports are 1 to 65535", at: span)
      return nil
    }
    guard first <= last else {
      report(.backwardsRange, "the range \(text) ends before it begins", "did you mean \"\(last)-\(first)\"?", at: span)
      return nil
    }
    return first...last
  }

  func transportProtocol(_ text: String, at span: Span) -> StackFile.TransportProtocol? {
    if let transport = StackFile.TransportProtocol(rawValue: text.lowercased()) { return transport }
    let known = StackFile.TransportProtocol.allCases.map(\.rawValue)
    report(
      .badChoice, "\"\(Self.shortened(text))\" is not a protocol that ports have",
      Suggestion.question(about: text, among: known), at: span, help: ["it can be: \(known.joined(separator: ", "))"])
    return nil
  }

  func hostAddress(_ text: String, at span: Span) -> IPAddress? {
    if let address = IPAddress(text) { return address }
    let help = text == "localhost" ? ["write 127.0.0.1"] : ["write an address of this host, as in 127.0.0.1 or [::1]"]
    report(.badAddress, "\"\(Self.shortened(text))\" is not an IP address", at: span, help: help)
    return nil
  }

  /// Networks and single addresses. None, with a diagnostic, where one cannot be understood.
  fileprivate func sources() -> [Located<IPPrefix>] {
    let texts = texts()
    if texts.isEmpty, node.items?.isEmpty ?? false {
      report(.emptyText, "\"\(name)\" is empty: nobody could reach the port", help: ["leave it out to let everybody"])
    }
    let sources = texts.compactMap { text -> Located<IPPrefix>? in
      if let prefix = IPPrefix(text.value) { return Located(prefix, text.span) }
      if let address = IPAddress(text.value),
        let prefix = IPPrefix(containing: address, length: address.octets.count * 8)
      {
        return Located(prefix, text.span)
      }
      report(
        .badSubnet, "\"\(Self.shortened(text.value))\" is neither a network nor an address", meantSource(text.value),
        at: text.span, help: ["write a network's address and its length, 192.0.2.0/24 or 2001:db8::/32, or an address"])
      return nil
    }
    return sources.count == texts.count ? sources : []
  }

  private func meantSource(_ text: String) -> String {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, let address = IPAddress(parts[0]), let length = Int(parts[1]),
      let prefix = IPPrefix(containing: address, length: length)
    else { return "" }
    return "did you mean \"\(prefix)\"?"
  }

  func exposedPort() -> StackFile.ExposedPort? {
    guard let text = nonEmptyText() else { return nil }
    let parts = PortText(text.value)
    guard parts.host == nil else {
      report(
        .badPort, "\"expose\" takes ports of the service alone", help: ["to publish a port on the host use `ports:`"])
      return nil
    }
    let transport = parts.transport.map { transportProtocol($0.text, at: node.span(of: $0.range)) } ?? .tcp
    guard let ports = portRange(parts.container.text, at: node.span(of: parts.container.range)), let transport else {
      return nil
    }
    return StackFile.ExposedPort(ports: ports, transport: transport)
  }
}

/// The long form of a port.
private struct LongPort {
  var target: ClosedRange<UInt16>?
  var published: ClosedRange<UInt16>?
  var address: IPAddress?
  var transport = StackFile.TransportProtocol.tcp
  var sources: [Located<IPPrefix>]?
  /// A value was wrong, and reported.
  var isBroken = false

  enum Mode: String, CaseIterable { case host, ingress }

  static let keys = KeyTable<LongPort>(
    "port",
    [
      .read("target", "the port inside the service") { field, port in
        port.target = field.nonEmptyText().flatMap { field.portRange($0.value, at: field.span) }
      },
      .read("published", "the port of the host, or a range to choose from") { field, port in
        guard !field.isEmpty, field.node.scalar?.text != "0" else { return }
        port.published = field.nonEmptyText().flatMap { field.portRange($0.value, at: field.span) }
        port.isBroken = port.isBroken || port.published == nil
      },
      .read("host_ip", "the address of the host") { field, port in
        port.address = field.nonEmptyText().flatMap { field.hostAddress($0.value, at: field.span) }
        port.isBroken = port.isBroken || port.address == nil
      },
      .read("protocol", "tcp, udp or sctp") { field, port in
        let transport = field.nonEmptyText().flatMap { field.transportProtocol($0.value, at: field.span) }
        port.transport = transport ?? .tcp
        port.isBroken = port.isBroken || transport == nil
      },
      .read("from", "who may reach it: networks and addresses, as in [10.0.0.0/8]") { field, port in
        let sources = field.sources()
        port.isBroken = port.isBroken || sources.isEmpty
        port.sources = sources
      },
      .read("mode", "host or ingress, which are the same on one machine") { field, _ in
        _ = field.choice(Mode.self)
      },
      .read("name", "a name for people") { field, _ in _ = field.text() },
      .read("app_protocol", "what is spoken on the port, for people") { field, _ in _ = field.text() },
    ])
}
