import Addresses
import Host
import Intent
import Vocabulary

/// One line of `ps --format json`: Compose's field names, and what Compose does not say.
private struct StatusLine: Encodable {
  struct Publisher: Encodable {
    var url: String
    var targetPort: UInt16
    var publishedPort: UInt16
    var transport: String

    enum CodingKeys: String, CodingKey {
      case url = "URL"
      case targetPort = "TargetPort"
      case publishedPort = "PublishedPort"
      case transport = "Protocol"
    }

    /// As Docker lists them: a port on every address once for each family.
    static func all(of service: DesiredService) -> [Publisher] {
      service.ports.flatMap { port -> [Publisher] in
        let wildcards: [IPAddress] = service.hasIPv6 ? [.v4(.any), .v6(.any)] : [.v4(.any)]
        return (port.hostAddress.map { [$0] } ?? wildcards).map { Publisher(port, at: $0) }
      }
    }

    private init(_ port: PublishedPort, at address: IPAddress) {
      url = address.description
      targetPort = port.target.port
      publishedPort = port.hostPort
      transport = port.target.transport.rawValue
    }
  }

  var id: String
  var name: String
  var command: String
  var project: String
  var service: String
  var state: String
  var health: String
  var exitCode: Int
  var ranOutOfMemory: Bool
  var publishers: [Publisher]
  var networks: String
  var pid: Int32
  var addresses: String
  var addresses6: String
  var restarts: Int

  enum CodingKeys: String, CodingKey {
    case id = "ID"
    case name = "Name"
    case command = "Command"
    case project = "Project"
    case service = "Service"
    case state = "State"
    case health = "Health"
    case exitCode = "ExitCode"
    case ranOutOfMemory = "OOMKilled"
    case publishers = "Publishers"
    case networks = "Networks"
    case pid = "PID"
    case addresses = "IPAddress"
    case addresses6 = "GlobalIPv6Address"
    case restarts = "Restarts"
  }

  init(_ status: StackIndex.ServiceStatus) {
    let (desired, record) = (status.service, status.record)
    id = "\(status.stack).\(desired.name)"
    name = desired.containerName ?? desired.name
    command = desired.process.arguments.map(Shell.quoted).joined(separator: " ")
    project = status.stack
    service = desired.service
    state = status.phase
    health = record.healthStatus?.rawValue ?? ""
    exitCode = record.exitCode ?? 0
    ranOutOfMemory = record.ranOutOfMemory ?? false
    publishers = Publisher.all(of: desired)
    networks = desired.attachments.map(\.network).joined(separator: ",")
    pid = record.process?.pid ?? 0
    addresses = desired.attachments.map { "\($0.address)" }.joined(separator: ",")
    addresses6 = desired.attachments.compactMap { $0.ipv6.map { "\($0.address)" } }.joined(separator: ",")
    restarts = record.restarts
  }
}

extension StackIndex.ServiceStatus {
  /// One line of `ps --format json`: one JSON object.
  package var jsonLine: String { JSONText.line(StatusLine(self)) }

  /// The id that `ps -q` prints: `shop.web`.
  package var identifier: String { "\(stack).\(service.name)" }

  package static var fieldNames: [String] {
    [
      "ID", "Name", "Image", "Command", "Project", "Service", "State", "Status", "Health", "ExitCode", "Ports",
      "Networks", "PID", "IPAddress", "RunningFor", "Labels",
    ]
  }

  /// The values for templates, by Compose's names.
  package var fields: [String: String] {
    let line = StatusLine(self)
    return [
      "ID": line.id, "Name": line.name, "Image": service.image?.name ?? "", "Command": line.command,
      "Project": line.project, "Service": line.service, "State": line.state, "Status": state, "Health": line.health,
      "ExitCode": "\(line.exitCode)", "Ports": ports.joined(separator: ", "), "Networks": line.networks,
      "PID": "\(line.pid)", "IPAddress": line.addresses, "RunningFor": age ?? "",
      "Labels": service.labels.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: ","),
    ]
  }
}
