import Foundation
import Testing

/// Actions on a stack that most end-to-end tests need.
extension ThrowawayHost {
  /// A stack file whose services serve their own name over HTTP on port 80: the smallest thing that answers.
  /// `extra` holds further keys of a service, one a line, without indentation.
  static func servers(
    stack: String, _ names: [String], extra: [String: [String]] = [:], tail: String = ""
  ) -> String {
    let services = names.map { name in
      let keys = [
        "command: [sh, -c, \"mkdir -p /srv/www && echo \(stack) \(name) > /srv/www/index.html && "
          + "exec busybox httpd -f -p 80 -h /srv/www\"]"
      ]
      let all = keys + (extra[name]?.contains { $0.hasPrefix("ports:") } == true ? [] : ["expose: [\"80\"]"])
      return (["  \(name):"] + (all + (extra[name] ?? [])).map { "    \($0)" }).joined(separator: "\n")
    }
    return "name: \(stack)\nservices:\n\(services.joined(separator: "\n"))\n\(tail)\n"
  }

  /// Writes `text` as NAME.stack and brings it up.
  @discardableResult
  func up(_ text: String, named name: String) throws -> String {
    try write(text, to: "\(name).stack")
    return try succeed("stack", "up", "\(name).stack")
  }

  /// The curl command with its timeouts.
  ///
  /// The kernel alone makes a connection, so 3 seconds suffice. A server may have to wait for a core before it answers.
  private static let curl = ["curl", "-s", "-f", "--connect-timeout", "3", "--max-time", "15"]

  /// The body that `url` answers with, or nil when nothing is to be reached there.
  func get(_ url: String, from: Machine = .host) throws -> String? {
    let outcome = try start(Self.curl + [url], from: from).wait(limit: .seconds(60))
    return outcome.status == 0 ? outcome.output : nil
  }

  /// The same, asked from inside a service.
  func get(_ url: String, inside service: String) throws -> String? {
    let outcome = try start(["stack", "exec", service] + Self.curl + [url]).wait(limit: .seconds(60))
    return outcome.status == 0 ? outcome.output : nil
  }

  /// The output of `stack ps --format json`: one object for each service.
  func listing(_ arguments: String...) throws -> [[String: Any]] {
    let command = ["stack", "ps", "--format", "json"] + arguments
    let outcome = try start(command).wait(limit: .seconds(60))
    guard outcome.status == 0 else { throw HarnessError(outcome.description) }
    return try outcome.lines.map { line in
      guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
        throw HarnessError("not a JSON object: \(line)")
      }
      return object
    }
  }

  /// A field of a service in that listing.
  func field<Value>(_ name: String, of service: String, as: Value.Type = Value.self) throws -> Value {
    guard let row = try listing("-a").first(where: { $0["Service"] as? String == service }) else {
      throw HarnessError("stack ps does not list \(service)")
    }
    guard let value = row[name] as? Value else {
      throw HarnessError("stack ps gives no \(name) for \(service): \(row)")
    }
    return value
  }

  func ipAddress(of service: String) throws -> String { try field("IPAddress", of: service) }

  /// Runs a command in a service's namespaces with util-linux's nsenter, not with ours.
  @discardableResult
  func inNamespaces(of service: String, _ command: String...) throws -> String {
    let pid: Int = try field("PID", of: service)
    let outcome = try start(["nsenter", "-t", "\(pid)", "-a"] + command).wait(limit: .seconds(60))
    guard outcome.status == 0 else { throw HarnessError(outcome.description) }
    return outcome.output
  }

  /// The processes of the `stack` binary on this host, oldest first, as its own process numbers.
  ///
  /// The file is compared, not its path: a binary below a bind mount reads as a path from that mount's root.
  func stackProcesses() throws -> [Int] {
    let script = """
      for folder in /proc/[0-9]*; do
        [ "$folder/exe" -ef "\(Repository.binaryFolder)/stack" ] && echo "${folder#/proc/}"
      done; true
      """
    return try succeed("sh", "-c", script).split(separator: "\n").compactMap { Int($0) }.sorted()
  }

  /// Kills every supervisor with SIGKILL, its watcher first, and waits until they are gone.
  func killSupervisors() throws {
    guard try !stackProcesses().isEmpty else { throw HarnessError("no supervisor runs") }
    try endSupervisors()
  }

  /// The same where none may run. A watcher may just have started another one, which has a watcher of its own soon: so
  /// it is done until none is there.
  func endSupervisors() throws {
    let areGone = try eventually(within: .seconds(20)) {
      try run("pkill", "-9", "-x", "stack-watch")
      let pids = try stackProcesses()
      for pid in pids { try run("kill", "-9", "\(pid)") }
      return pids.isEmpty
    }
    guard areGone else { throw HarnessError("the supervisor survived SIGKILL") }
  }
}
