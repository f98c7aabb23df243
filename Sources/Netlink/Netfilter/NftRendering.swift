import Addresses

/// Everything in the syntax of `nft -f`, for people to read and for nft to check.

extension NftMatch {
  public var rendered: String {
    switch self {
    case .field(let field, let comparison, let value): field.rendered + comparison.rendered + value.rendered
    case .anyOf(let field, let comparison, let values):
      field.rendered + comparison.rendered + "{ " + values.map(\.rendered).joined(separator: ", ") + " }"
    case .set(let fields, let comparison, let name): fields.rendered + comparison.rendered + "@\(name)"
    case .state(let states): "ct state \(states.rendered)"
    case .status(let status): "ct status \(status.rendered)"
    case .tcpFlags(let flags, let mask, let comparison):
      "tcp flags & (\(mask.rendered))\(comparison.rendered)\(flags.rendered)"
    case .direction(let direction): "ct direction \(direction == .original ? "original" : "reply")"
    case .chance(let share): "numgen random mod 1000000 < \(share)"
    }
  }
}

extension NftStatement {
  /// - Parameter family: The table's, on which the words for a rejection depend.
  public func rendered(in family: NftFamily) -> String {
    switch self {
    case .verdict(let verdict): verdict.rendered
    case .reject(let rejection): rejection.rendered(in: family)
    case .masquerade: "masquerade"
    case .masqueradePorts(let range): "masquerade to :\(range.lowerBound)-\(range.upperBound)"
    case .snat(let address): "snat \(address.nftFamily.rendered) to \(address)"
    case .dnat(let address, let port):
      "dnat \(address.nftFamily.rendered) to "
        + (port.map { port in
          if case .v6 = address { "[\(address)]:\(port)" } else { "\(address):\(port)" }
        } ?? address.description)
    case .dnatMap(let family, let fields, let map): "dnat \(family.rendered) to \(fields.rendered) map @\(map)"
    case .assign(let field, let address): "\(field.rendered) set \(address)"
    case .assignMap(let field, let fields, let map): "\(field.rendered) set \(fields.rendered) map @\(map)"
    case .verdictMap(let fields, let map): "\(fields.rendered) vmap @\(map)"
    case .setMark(let mark): "meta mark set \(mark)"
    case .counter: "counter"
    case .countIn(let name): "counter name \(nftQuoted(name))"
    case .log(let prefix): "log prefix \(nftQuoted(prefix))"
    case .notrack: "notrack"
    case .countConnections(let field, let set, let most): "add @\(set) { \(field.rendered) ct count over \(most) }"
    case .remember(let field, let set, let milliseconds):
      "add @\(set) { \(field.rendered) timeout \(milliseconds)ms }"
    }
  }
}

extension IPAddress {
  package var nftFamily: NftFamily {
    switch self {
    case .v4: .ip
    case .v6: .ip6
    }
  }
}

extension NftRule {
  /// - Parameter family: The table's.
  public func rendered(in family: NftFamily) -> String {
    let parts = matches.map(\.rendered) + statements.map { $0.rendered(in: family) }
    return (parts + (comment.map { ["comment \(nftQuoted($0))"] } ?? [])).joined(separator: " ")
  }
}

extension NftElement {
  public var rendered: String { key.rendered + renderedComment(comment) }
}

extension NftMapElement {
  public var rendered: String {
    let value =
      switch target {
      case .verdict(let verdict): verdict.rendered
      case .values(let values): values.rendered
      }
    return key.rendered + renderedComment(comment) + " : " + value
  }
}

extension NftSet {
  public var rendered: String {
    block("set", name, type: key.declared, isInterval, growth, comment, elements.map(\.rendered))
  }
}

extension NftMap {
  public var rendered: String {
    let target =
      switch data {
      case .verdict: "verdict"
      case .values(let types): types.map(\.rendered).joined(separator: " . ")
      }
    return block("map", name, type: "\(key.declared) : \(target)", isInterval, nil, comment, elements.map(\.rendered))
  }
}

extension NftChain {
  /// - Parameter family: The table's.
  public func rendered(in family: NftFamily) -> String {
    var lines: [String] = []
    if let comment { lines.append("comment \(nftQuoted(comment))") }
    if let base {
      let policy = base.policy == .accept ? "accept" : "drop"
      lines.append(
        "type \(base.type.rawValue) hook \(base.hook.rendered) priority \(base.priority); policy \(policy);")
    }
    lines += rules.map { $0.rendered(in: family) }
    return "chain \(name) {\n" + lines.map { "\t" + $0 + "\n" }.joined() + "}"
  }
}

extension NftTable {
  /// The table as a file for `nft -f`, each line ended.
  public var rendered: String {
    var blocks: [String] = []
    if let comment { blocks.append("comment \(nftQuoted(comment))") }
    blocks +=
      counters.map(\.rendered) + sets.map(\.rendered) + maps.map(\.rendered)
      + chains.map { $0.rendered(in: name.family) }
    let body = blocks.map { block in
      block.split(separator: "\n", omittingEmptySubsequences: false).map { "\t" + $0 + "\n" }.joined()
    }
    return "table \(name) {\n" + body.joined(separator: "\n") + "}\n"
  }
}

extension [NftType] {
  /// The declaration of a key: its types, or the looked-up expressions if a number's type has no length.
  fileprivate var declared: String {
    guard contains(where: \.isNumber) else { return "type " + map(\.rendered).joined(separator: " . ") }
    return "typeof "
      + map { type in
        switch type {
        case .interfaceName: NftField.inputInterface.rendered
        case .hardwareAddress: NftField.etherSource.rendered
        case .neighbourTarget: NftField.neighbourTarget.rendered
        case .quotedAddress: NftField.quotedDestination.rendered
        default: type.rendered
        }
      }.joined(separator: " . ")
  }
}

private func renderedComment(_ comment: String?) -> String {
  comment.map { " comment \(nftQuoted($0))" } ?? ""
}

private func block(
  _ keyword: String, _ name: String, type: String, _ isInterval: Bool, _ growth: NftSetGrowth?, _ comment: String?,
  _ elements: [String]
) -> String {
  var lines = [type]
  if isInterval { lines.append("flags interval") }
  if let growth {
    lines += ["size \(growth.size)", growth.expires ? "flags dynamic,timeout" : "flags dynamic"]
  }
  if let comment { lines.append("comment \(nftQuoted(comment))") }
  if !elements.isEmpty { lines.append("elements = { " + elements.joined(separator: ",\n\t\t") + " }") }
  return "\(keyword) \(name) {\n" + lines.map { "\t" + $0 + "\n" }.joined() + "}"
}
