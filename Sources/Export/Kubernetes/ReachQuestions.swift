import Intent
import Vocabulary

/// The questions of a matrix: each replica's to the ports of the others, with the answers that the rules predict.
struct ReachQuestions {
  private let matrix: TrafficMatrix
  /// By service: the ports that it says it listens on.
  private let ports: [String: [ListeningPort]]

  init(_ matrix: TrafficMatrix, _ input: ExportInput) {
    self.matrix = matrix
    var ports: [String: [ListeningPort]] = [:]
    for service in input.stack.services {
      let own = service.ports.map(\.target) + service.readyPorts
      var owner = service.name
      if case .service(let name) = service.namespace { owner = name }
      ports[owner, default: []] += own
    }
    self.ports = ports.mapValues { $0.uniqued() }
  }

  /// One for each service; each replica where rules tell them apart.
  var sources: [TrafficMatrix.Member] {
    var seen: Set<String> = []
    return matrix.members.indices.filter { place in
      seen.insert("\(matrix.members[place].service) \(matrix.classOf[place])").inserted
    }.map { matrix.members[$0] }
  }

  /// Lines of a source: `web db 5432/tcp yes`.
  func text(from source: TrafficMatrix.Member) -> String {
    var lines: [String] = []
    for target in matrix.members where target.name != source.name {
      let allowed = matrix.ports(from: source.name, to: target.name) ?? .none
      for port in ports[target.name] ?? [] {
        let isOpen = port.transport == .tcp ? allowed.containsTCP(port.port) : allowed.containsUDP(port.port)
        lines.append("\(source.name) \(target.name) \(port.port)/\(port.transport.rawValue) \(isOpen ? "yes" : "no")")
      }
    }
    return lines.map { $0 + "\n" }.joined()
  }
}
