import Intent
import Kernel

/// The /etc/resolv.conf of a service. It names the stack's own DNS server, on the gateway of the service's network.
///
/// Services with the same content share one file.
package struct ResolverFile: Hashable {
  /// The file's name in the stack's folder of names.
  package var name: String
  package var text: String
}

package struct ResolverFiles {
  /// Every distinct file of a stack.
  package let files: [ResolverFile]

  /// - Parameter host: the host's own file (resolv.conf(5)); nil to read it.
  package init(_ stack: DesiredStack, host: String? = nil) {
    let host = HostFile(host ?? Self.hostFile())
    var seen: Set<String> = []
    files = stack.services.filter { seen.insert($0.resolverFile).inserted }.map { service in
      ResolverFile(name: service.resolverFile, text: Self.text(service, stack, host))
    }
  }

  private static func hostFile() -> String {
    let bytes = try? Files.read("/etc/resolv.conf", limit: 1 << 16)
    return String(decoding: bytes ?? [], as: UTF8.self)
  }

  private static func text(_ service: DesiredService, _ stack: DesiredStack, _ host: HostFile) -> String {
    var owner = service
    if case .service(let name) = service.namespace, let other = stack.service(named: name) { owner = other }
    let gateway = owner.resolverNetwork.flatMap { stack.network(named: $0)?.hostAddresses.first }
    let search = service.nameResolution.search ?? host.search
    var options = service.nameResolution.options ?? host.options
    // Short names are names of services. With ndots:0 the resolver asks for them before it appends a search domain.
    if !options.contains(where: { $0.hasPrefix("ndots:") }) { options.append("ndots:0") }
    var lines = gateway.map { ["nameserver \($0)"] } ?? []
    if !search.isEmpty { lines.append("search \(search.joined(separator: " "))") }
    lines.append("options \(options.joined(separator: " "))")
    return lines.map { "\($0)\n" }.joined()
  }

  /// The host's settings that services inherit, unless the stack file sets them.
  private struct HostFile {
    var search: [String] = []
    var options: [String] = []

    init(_ text: String) {
      for line in text.split(whereSeparator: \.isNewline) {
        let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
        switch words.first {
        // The last of several lines counts (resolv.conf(5)).
        case "search", "domain": search = words.dropFirst().filter { $0 != "." }
        case "options": options += words.dropFirst()
        default: break
        }
      }
    }
  }
}
