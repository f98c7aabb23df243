import ArgumentParser
import Host
import Intent
import Orchestrator
import Vocabulary

struct Port: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "port", abstract: "Print where a port of a service is published.",
    discussion: """
      stack port web 80         0.0.0.0:8080
      stack port web            all of its ports
      """)

  @Argument(help: ArgumentHelp("The service.", valueName: "service"), completion: Completions.services)
  var service: String
  @Argument(help: ArgumentHelp("The port of the service. Default: all.", valueName: "port"))
  var port: String?
  @Option(help: ArgumentHelp("tcp or udp.", valueName: "name"))
  var transport: TransportName = .tcp
  @Option(name: .customLong("protocol"), help: ArgumentHelp("The same as --transport.", valueName: "name"))
  var protocolName: TransportName?
  @Option(help: ArgumentHelp("Number of the replica. Default: the first.", valueName: "number"))
  var index: Int?
  @OptionGroup var options: ProjectOptions

  enum TransportName: String, ExpressibleByArgument, CaseIterable { case tcp, udp }

  func run() throws {
    let parts = port?.split(separator: "/").map(String.init) ?? []
    let number = parts.first.flatMap { UInt16($0) }
    guard port == nil || number != nil, parts.count < 2 || TransportName(rawValue: parts[1]) != nil else {
      throw ValidationError("\(port ?? "") is no port: write 80, or 53/udp")
    }
    let wanted = parts.count == 2 ? parts[1] : (protocolName ?? transport).rawValue
    try Session.run(needsRoot: true, in: options.project) { session in
      let place = try session.context.index.find(service, replica: index, in: session.stack)
      let published = try session.statuses(of: place.stack).first { $0.name == place.service }?.service.ports ?? []
      let lines = published.filter { entry in
        number.map { entry.target.port == $0 && entry.target.transport.rawValue == wanted } ?? true
      }.map { entry in
        let address = entry.hostAddress.map(\.beforePort) ?? "0.0.0.0"
        return port == nil
          ? "\(entry.target.port)/\(entry.target.transport.rawValue) -> \(address):\(entry.hostPort)"
          : "\(address):\(entry.hostPort)"
      }
      guard !lines.isEmpty || port == nil else {
        throw Session.failure(
          "\(place.stack)/\(place.service): port \(number ?? 0)/\(wanted) is not published"
            + (published.isEmpty ? "" : "\n  it publishes \(PublishedPort.ranges(published).joined(separator: ", "))"))
      }
      for line in lines { print(line) }
    }
  }
}
