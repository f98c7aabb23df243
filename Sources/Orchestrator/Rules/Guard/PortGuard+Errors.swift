import Addresses
import Intent
import Netfilter

/// ICMP errors. Connection tracking relates one to the connection of the packet that it quotes, and related packets pass before
/// any rule. So a port sends errors about packets that were sent to it, or through it, and about no others.
extension PortGuard {
  /// Other hosts answer from behind these, about packets for anybody.
  private var relays: [GuardedPort] { all.filter { $0.isRouter || $0.isOpen } }

  var quotedSets: [NftSet] {
    let relaying = relays.isEmpty ? [] : [names("relays", relays, "ports through which packets go on")]
    return relaying + [quoted] + families.map(beyond).filter { !$0.elements.isEmpty }
  }

  /// IPv6 looks into `targets6`, which has the same addresses in the same form.
  private var quoted: NftSet {
    NftSet(
      "quoted", key: [.interfaceName, .hardwareAddress, .quotedAddress],
      elements: all.flatMap { port in
        port.hardware.flatMap { mac in
          port.addresses.compactMap { address in
            guard case .v4(let own) = address else { return nil }
            return NftElement(.interface(port.link), .hardware(mac), .quoted(own, own))
          }
        }
      }, comment: "the addresses of each port, as ICMP errors quote them")
  }

  private func beyond(_ family: AddressFamily) -> NftSet {
    NftSet(
      "quoted_beyond\(family.suffix)",
      key: [.interfaceName, family.quotedType], isInterval: true,
      elements: all.flatMap { port in
        further(port, family).map { NftElement(.interface(port.link), family.quoted($0)) }
      }, comment: "further ones that packets for are sent to it")
  }

  private func further(_ port: GuardedPort, _ family: AddressFamily) -> [AddressRange] {
    let network = port.isOpen ? stack.network(named: port.network) : nil
    let subnets = (network?.subnets ?? []).filter { family.holds($0.network) }.map { AddressRange($0) }
    return AddressRange.merged((port.claimed[family] ?? []) + (port.routed[family] ?? []) + subnets)
  }

  var errorRules: [NftRule] {
    families.map { NftRule([$0.icmpErrors], .verdict(.jump("errors\($0.suffix)"))) }
  }

  /// A first fragment can be too short to have the quoted address. It is dropped, so accepted ones return.
  var errors: [NftChain] {
    families.map { family in
      let field = family.quotedDestination
      let own = family == .v4 ? "quoted" : "targets6"
      // An error on its way through the host leaves the network: it must be about somebody behind the relay.
      let within = NftRule(
        [.set([.inputInterface], named: "relays"), .set([.etherDestination], .notEqual, named: "hosts")],
        .verdict(.return))
      return NftChain(
        "errors\(family.suffix)",
        rules: [NftRule([.set([.inputInterface, .etherSource, field], named: own)], .verdict(.return))]
          + (relays.isEmpty ? [] : [within])
          + (beyond(family).elements.isEmpty
            ? []
            : [NftRule([.set([.inputInterface, field], named: "quoted_beyond\(family.suffix)")], .verdict(.return))])
          + [NftRule([], .drop)])
    }
  }
}
