import Intent

/// The /etc/hosts that services see: one file for all services that are on the same networks.
///
/// A file for each service would grow with the square of the services: 800 files of 800 lines.
package struct HostsFile: Hashable {
  /// The file's name in the stack's folder of names.
  package var name: String
  package var text: String
  /// The offsets at which the lines of each service begin.
  var places: [Place] = []

  struct Place: Hashable {
    var service: String
    /// The offset in octets.
    var offset: Int
    /// The octet that stands there.
    var beginning: UInt8
  }
}

/// The names that each service can look up, computed from the desired stack.
package struct NameViews {
  private let stack: DesiredStack
  private struct Line {
    var service: String
    var text: String
  }

  private var linesByNetwork: [String: [Line]] = [:]
  /// Of the services that are found from everywhere.
  private var linesElsewhere: [Line] = []
  /// Names of files that a service without IPv6 sees: its loopback has no ::1.
  private let filesWithoutIPv6: Set<String>

  /// Two lines of the same length, so that the others stand where they stood in the files of a former version (``HostsMarks``).
  private static let localhost6 = "::1\tlocalhost ip6-localhost ip6-loopback\n"
  private static let noLocalhost6 = "# localhost is not ::1: no IPv6 in here.\n"

  package init(_ stack: DesiredStack) {
    self.stack = stack
    filesWithoutIPv6 = Set(stack.services.filter { !stack.hasIPv6Loopback($0) }.map(\.hostsFile))
    for network in stack.networks {
      var lines: [Line] = []
      for service in stack.services {
        for attachment in service.attachments where attachment.network == network.name {
          let names = service.names(on: attachment).joined(separator: " ")
          lines += attachment.addresses.map { Line(service: service.name, text: "\($0)\t\(names)\n") }
        }
      }
      for neighbour in stack.neighbours where neighbour.network == network.name {
        let names = neighbour.names.joined(separator: " ")
        lines.append(Line(service: "", text: "\(neighbour.address)\t\(names)\n"))
      }
      linesByNetwork[network.name] = lines
    }
    guard stack.namesWholeStack else { return }
    linesElsewhere = stack.services.flatMap { service in
      stack.addressesElsewhere(of: service).map {
        Line(service: service.name, text: "\($0)\t\(service.names.joined(separator: " "))\n")
      }
    }
  }

  /// The file for one service. Services with the same networks get the same file.
  func hostsFile(for service: DesiredService) -> HostsFile {
    let hasIPv6 = !filesWithoutIPv6.contains(service.hostsFile)
    var file = HostsFile(
      name: service.hostsFile, text: "127.0.0.1\tlocalhost\n" + (hasIPv6 ? Self.localhost6 : Self.noLocalhost6))
    for host in service.sharesHostsFile ? [] : service.extraHosts { file.text += "\(host.address)\t\(host.name)\n" }
    let seen = networks(seenBy: service).sorted()
    for line in seen.flatMap({ linesByNetwork[$0] ?? [] }) + linesElsewhere(for: service, seen) {
      let place = HostsFile.Place(
        service: line.service, offset: file.text.utf8.count, beginning: line.text.utf8.first ?? UInt8(ascii: "#"))
      file.places.append(place)
      file.text += line.text
    }
    return file
  }

  /// Of those that share no network with the service, and no cable by which it knows them already.
  private func linesElsewhere(for service: DesiredService, _ seen: [String]) -> [Line] {
    guard !linesElsewhere.isEmpty, service.namespace != .host else { return [] }
    let named = Set(service.sharesHostsFile ? [] : service.extraHosts.map(\.name))
    let near = Set(
      stack.services.filter { other in other.attachments.contains { seen.contains($0.network) } }.map(\.name))
    return linesElsewhere.filter { !near.contains($0.service) && !named.contains($0.service) }
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
  package func hostsFiles(for stack: DesiredStack) -> [HostsFile] {
    var seen: Set<String> = []
    return stack.services.filter { seen.insert($0.hostsFile).inserted }.map(hostsFile(for:))
  }
}

extension DesiredStack {
  /// True if ::1 is on the loopback of a service's namespace.
  fileprivate func hasIPv6Loopback(_ service: DesiredService) -> Bool {
    switch service.namespace {
    case .own: service.speaksIPv6
    case .service(let owner): self.service(named: owner)?.speaksIPv6 ?? false
    case .host: true
    }
  }
}
