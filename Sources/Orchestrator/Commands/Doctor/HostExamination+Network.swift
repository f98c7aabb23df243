import Addresses
import Host
import Intent
import Kernel
import Netlink
import Resolve
import Rules
import Runtime

extension HostExamination {
  /// Makes what a stack is made of, in a network namespace that is gone when this returns.
  func network() -> [HostFinding] {
    guard isRoot else { return [] }
    do {
      let namespace = try NetworkNamespace.create(disablesIPv6: true)
      return [
        trial("bridges can be made", without: "no bridge can be made", remedy: "modprobe bridge") {
          () throws(KernelError) in
          var batch = RouteBatch()
          batch.create(Bridge("trial"))
          var socket = try NetlinkSocket(.route, in: namespace.descriptor)
          try socket.apply(batch)
        },
        trial("veth pairs can be made", without: "no veth pair can be made", remedy: "modprobe veth") {
          () throws(KernelError) in
          var batch = RouteBatch()
          batch.create(VethPair(near: VethPair.End("near"), peer: VethPair.End("far")))
          var socket = try NetlinkSocket(.route, in: namespace.descriptor)
          try socket.apply(batch)
        },
        trial(
          "sockets in use can be listed", without: "sockets in use cannot be listed",
          remedy: "modprobe -a tcp_diag udp_diag"
        ) { () throws(KernelError) in
          var socket = try NetlinkSocket(.sockDiag, in: namespace.descriptor)
          _ = try socket.boundSockets()
        },
        trial(
          "nftables takes a stack's table", without: "nftables does not take a stack's table",
          remedy: "modprobe -a nf_tables nft_chain_nat nft_masq nft_ct nft_fib_inet nft_reject_inet"
        ) { () throws(KernelError) in
          var socket = try NetlinkSocket(.netfilter, in: namespace.descriptor)
          try socket.commit(Firewall(.trial, sharesConnections: false).transaction)
        },
      ]
        + attempt { () throws(KernelError) in [Self.judge(tellsVLANsApart: try VLANTrial.isThere())] }
    } catch {
      return [
        HostFinding(
          .missing, "no network namespace can be made: \(error)",
          remedy: "in a container, run that one privileged; else boot a kernel with CONFIG_NET_NS")
      ]
    }
  }

  static func judge(tellsVLANsApart: Bool) -> HostFinding {
    tellsVLANsApart
      ? HostFinding(.good, "bridges tell VLANs apart")
      : HostFinding(
        .notice, "\(MissingVLANs.absence): each VLAN of a network gets a bridge of its own",
        remedy: "modprobe -a bridge 8021q; if there is no such module, services notice no difference,"
          + " but a vxlan network cannot have VLANs")
  }

  private func trial(
    _ success: String, without failure: String, remedy: String, _ body: () throws(KernelError) -> Void
  ) -> HostFinding {
    do {
      try body()
      return HostFinding(.good, success)
    } catch {
      var plain = error
      plain.remedy = nil
      return HostFinding(
        .missing, "\(failure): \(plain)",
        remedy: "\(remedy); if there is no such module, the kernel was built without it")
    }
  }
}

extension DesiredStack {
  /// A stack whose table has something in each of its sets and maps.
  fileprivate static var trial: DesiredStack {
    func network(_ name: String, _ number: UInt32, isInternal: Bool) -> DesiredNetwork {
      // 192.0.2.0/24 is for documentation: no host has it (RFC 5737).
      let network = IPv4Address(bits: 0xC000_0200 + number * 16)
      return DesiredNetwork(
        name: name, bridge: "trial-\(name)", mac: MACAddress(bits: 0),
        subnet: IPv4Prefix(containing: network, length: 28) ?? .everything,
        gateway: IPv4Address(bits: network.bits + 1), isInternal: isInternal, declaredAt: nil)
    }
    var stack = DesiredStack.empty(named: "trial")
    stack.networks = [network("open", 0, isInternal: false), network("inner", 1, isInternal: true)]
    let port = ListeningPort(port: 80, transport: .tcp)
    var service = DesiredService.unknown(named: "trial")
    service.attachments = [
      DesiredAttachment(
        network: "open", interface: "eth0", link: "trial", address: IPv4Address(bits: 0xC000_0202),
        mac: MACAddress(bits: 0), aliases: [], isDefaultRoute: true)
    ]
    service.ports = [nil, .v4(.loopback)].map {
      PublishedPort(hostAddress: $0, hostPort: 8080, target: port, declaredAt: nil)
    }
    stack.services = [service]
    return stack
  }
}
