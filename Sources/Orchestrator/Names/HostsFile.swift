import Netlink

/// The /etc/hosts that services see: one file for all services that are on the same networks.
///
/// A file for each service would grow with the square of the services: 800 files of 800 lines.
struct HostsFile: Hashable {
  /// The file's name in the stack's folder of names.
  var name: String
  var text: String
}

/// Who can look up whom by name, computed from what is desired.
struct NameViews {
  private let stack: DesiredStack
  private var linesByNetwork: [String: String] = [:]

  init(_ stack: DesiredStack) {
    self.stack = stack
    for network in stack.networks {
      var lines = ""
      for service in stack.services {
        for attachment in service.attachments where attachment.network == network.name {
          let names = Self.names(of: service, attachment).joined(separator: " ")
          for address in attachment.addresses { lines += "\(address)\t\(names)\n" }
        }
      }
      linesByNetwork[network.name] = lines
    }
  }

  /// The names of one service on one network: its own, its container name, its hostname, the name that it shares with
  /// its replicas, and its aliases there.
  private static func names(of service: DesiredService, _ attachment: DesiredAttachment) -> [String] {
    var seen: Set<String> = []
    let candidates = [service.name, service.service] + [service.containerName, service.hostname].compactMap(\.self)
    return (candidates + attachment.aliases).filter { seen.insert($0).inserted }
  }

  /// The file for one service. Services with the same networks get the same file.
  func hostsFile(for service: DesiredService) -> HostsFile {
    let networks = networks(seenBy: service).sorted()
    let loopback = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
    let extra = service.extraHosts.map { "\($0.address)\t\($0.name)\n" }.joined()
    return HostsFile(
      name: service.hostsFile, text: loopback + extra + networks.map { linesByNetwork[$0] ?? "" }.joined())
  }

  /// The host reaches all networks; who shares a network sees what the one does whose it is.
  private func networks(seenBy service: DesiredService) -> [String] {
    switch service.namespace {
    case .own: service.attachments.map(\.network)
    case .service(let owner): (stack.service(named: owner)?.attachments ?? []).map(\.network)
    case .host: stack.networks.map(\.name)
    }
  }

  /// Every distinct file of a stack.
  func hostsFiles(for stack: DesiredStack) -> [HostsFile] {
    var seen: Set<String> = []
    return stack.services.filter { seen.insert($0.hostsFile).inserted }.map(hostsFile(for:))
  }
}
