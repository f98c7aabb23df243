import FoundationEssentials
import Kernel
import Netlink
import Runtime

/// One line of `ps --format json`: Compose's field names, and what Compose does not say.
private struct StatusLine: Encodable {
  struct Publisher: Encodable {
    var URL: String
    var TargetPort: UInt16
    var PublishedPort: UInt16
    var `Protocol`: String
  }
  var ID: String
  var Name: String
  var Command: String
  var Project: String
  var Service: String
  var State: String
  var Health: String
  var ExitCode: Int
  var Publishers: [Publisher]
  var Networks: String
  var PID: Int32
  var IPAddress: String
  var Restarts: Int

  init(_ status: StackIndex.ServiceStatus) {
    let (service, record) = (status.service, status.record)
    ID = "\(status.stack).\(service.name)"
    Name = service.containerName ?? service.name
    Command = service.process.arguments.map(shellQuoted).joined(separator: " ")
    Project = status.stack
    Service = service.service
    State = record.phase.rawValue
    Health = record.healthStatus?.rawValue ?? ""
    ExitCode = record.exitCode ?? 0
    Publishers = service.ports.map { port in
      Publisher(
        URL: "\(port.hostAddress?.description ?? "0.0.0.0")", TargetPort: port.target.port,
        PublishedPort: port.hostPort, Protocol: port.target.transport.rawValue)
    }
    Networks = service.attachments.map(\.network).joined(separator: ",")
    PID = record.process?.pid ?? 0
    IPAddress = service.attachments.map { "\($0.address)" }.joined(separator: ",")
    Restarts = record.restarts
  }
}

extension StackCommands {
  /// One JSON object on a line.
  public func jsonLine(of status: StackIndex.ServiceStatus) -> String {
    json(StatusLine(status), pretty: false)
  }

  /// What is known of a stack or of a service.
  ///
  /// - Parameter name: a stack, a service, or `stack/service`; nil for the only stack.
  public func inspect(_ name: String?, in stack: String?) throws(StackErrors) -> String {
    if let name, !index.names().contains(name) || name.contains("/") {
      let place = try index.find(name, in: stack)
      let status = try statuses(of: place.stack).first { $0.service.name == place.service }
      return json(status.map { Inspection(service: $0.service, record: $0.record) }, pretty: true)
    }
    let found = try index.stack(named: name ?? stack)
    let desired = try rethrowing(found) { () throws(KernelError) in try index.desired(found) }
    let records = try statuses(of: found).map(\.record)
    return json(StackInspection(stack: desired, records: records), pretty: true)
  }

  private struct Inspection: Encodable {
    var service: DesiredService
    var record: ServiceRecord
  }

  private struct StackInspection: Encodable {
    var stack: DesiredStack?
    var records: [ServiceRecord]
  }

  private func json(_ value: some Encodable, pretty: Bool) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting =
      pretty ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes] : [.withoutEscapingSlashes]
    // Text, numbers and lists of them always encode.
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}

extension OperationEvent {
  /// One JSON object on a line, for `--progress json`.
  public var jsonLine: String {
    (try? JSONEncoder().encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}
