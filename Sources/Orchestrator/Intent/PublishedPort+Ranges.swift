import Addresses

extension PublishedPort {
  /// Ports as people write them: a row of ports that lead to a row of ports is one range.
  ///
  /// `8080->80/tcp`, `127.0.0.1:20000-20010->20000-20010/udp`.
  package static func ranges(_ ports: [PublishedPort]) -> [String] {
    var rows: [(first: PublishedPort, last: PublishedPort)] = []
    for port in ports {
      if let row = rows.last, port.follows(row.last) {
        rows[rows.count - 1].last = port
      } else {
        rows.append((port, port))
      }
    }
    return rows.map { row in
      guard row.first.hostPort != row.last.hostPort else { return row.first.summary }
      let address = row.first.summary.prefix(row.first.summary.count - row.first.summaryWithoutAddress.count)
      let target = row.first.target
      return
        "\(address)\(row.first.hostPort)-\(row.last.hostPort)->\(target.port)-\(row.last.target.port)/\(target.transport.rawValue)"
    }
  }

  private var summaryWithoutAddress: String { "\(hostPort)->\(target)" }

  private func follows(_ other: PublishedPort) -> Bool {
    hostAddress == other.hostAddress && target.transport == other.target.transport && sources == other.sources
      && hostPort > 0 && hostPort - 1 == other.hostPort && target.port > 0 && target.port - 1 == other.target.port
  }
}
