import Host
import Intent
import Kernel
import Netlink

extension HostExamination {
  /// A link of the host at which a cable of a stack ends.
  struct CableEnd: Hashable {
    var link: String
    /// The service at the other end: `lab/r1`.
    var service: String
    /// nil where the host has no such link.
    var state: State?

    struct State: Hashable {
      var isUp: Bool
      var hasCarrier: Bool
      /// The link that it has become a part of, such as a bridge.
      var master: String?
      /// Other programs of the host that configure it.
      var managers: [String] = []
    }
  }

  /// Reports the links of the host that a stack uses and something is wrong with.
  func links() -> [HostFinding] {
    guard isRoot else { return [] }
    return attempt { () throws(KernelError) in
      var socket = try NetlinkSocket(.route)
      let links = try socket.links()
      let index = StackIndex(folders: folders)
      var findings: [HostFinding] = []
      if let loopback = links.first(where: { $0.name == "lo" }), !loopback.isUp {
        findings.append(Self.loopbackIsDown)
      }
      for name in index.names() {
        for cable in try index.desired(name)?.hostCables ?? [] {
          guard let hostLink = cable.hostLink else { continue }
          let end = CableEnd(
            link: hostLink.name, service: "\(name)/\(cable.first.service)",
            state: links.first { $0.name == hostLink.name }.map { state(of: $0, among: links) })
          findings += Self.judge(end)
        }
      }
      return findings
    }
  }

  static var loopbackIsDown: HostFinding {
    HostFinding(
      .notice, "lo is down: nothing on this host reaches localhost, published ports there included",
      remedy: "ip link set lo up")
  }

  static func judge(_ end: CableEnd) -> [HostFinding] {
    let cable = "\(end.link), at which a cable of \(end.service) ends,"
    guard let state = end.state else {
      return [
        HostFinding(
          .notice, "the host has no link \(end.link), at which a cable of \(end.service) ends",
          remedy: "plug it in again, or take the cable out of the file; then stack up")
      ]
    }
    var findings: [HostFinding] = []
    if !state.isUp {
      findings.append(HostFinding(.notice, "\(cable) is down", remedy: "ip link set \(end.link) up"))
    } else if !state.hasCarrier {
      findings.append(
        HostFinding(.notice, "\(cable) has no carrier", remedy: "look at its plug, and at the machine at its other end")
      )
    }
    if let master = state.master {
      findings.append(
        HostFinding(
          .notice, "\(cable) has become a part of \(master), which takes its frames",
          remedy: "ip link set \(end.link) nomaster"))
    }
    for manager in state.managers {
      findings.append(
        HostFinding(
          .notice, "\(cable) is configured by \(manager), which may set it down or give it addresses at any time",
          remedy: manager == networkManager
            ? "nmcli device set \(end.link) managed no"
            : "in a file of /etc/systemd/network: [Match] Name=\(end.link) and [Link] Unmanaged=yes; then networkctl reload"
        ))
    }
    return findings
  }

  private static let networkManager = "NetworkManager"

  private func state(of link: Link, among links: [Link]) -> CableEnd.State {
    var state = CableEnd.State(isUp: link.isUp, hasCarrier: link.isRunning)
    state.master = link.master.map { master in links.first { $0.index == master }?.name ?? "another link" }
    // Both programs keep a file for each link, by its number.
    if has("managed=true", in: "/run/NetworkManager/devices/\(link.index)") {
      state.managers.append(Self.networkManager)
    }
    if has("ADMIN_STATE=configur", in: "/run/systemd/netif/links/\(link.index)") {
      state.managers.append("systemd-networkd")
    }
    return state
  }

  private func has(_ beginning: String, in path: String) -> Bool {
    text(of: path)?.split(separator: "\n").contains { $0.hasPrefix(beginning) } ?? false
  }
}
