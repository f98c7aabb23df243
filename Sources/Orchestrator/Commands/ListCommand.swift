import Glibc
import Host
import Intent
import Kernel
import Vocabulary

/// Lists the stacks of this host.
package struct ListCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// A stack that is up, or has left volumes.
  package struct Entry: Encodable, Sendable {
    package var name: String
    /// `running(2), exited(1)`, as Compose writes it; `down` for one that is not up.
    package var state: String
    /// The first file, as an absolute path; nil if nobody knows.
    package var file: String?
    /// The time since it was brought up, such as `5m`.
    package var age: String?
    package var volumes: [String]
    package var services: [String]

    enum CodingKeys: String, CodingKey {
      case name = "Name"
      case state = "Status"
      case file = "ConfigFiles"
      case age = "Age"
      case volumes = "Volumes"
      case services = "Services"
    }
  }

  package func run(withThoseDown includesDown: Bool) throws(StackErrors) -> [Entry] {
    let up = index.names()
    let down = includesDown ? Files.list(folders.lib).filter { leftVolumes($0) && !up.contains($0) } : []
    return try (up + down).sorted().map { (name) throws(StackErrors) in try entry(name, isUp: up.contains(name)) }
  }

  private func leftVolumes(_ name: String) -> Bool {
    NameRule.stack.problem(with: name) == nil && Files.exists(folders.stack(name).volumes)
  }

  private func entry(_ name: String, isUp: Bool) throws(StackErrors) -> Entry {
    let folder = folders.stack(name)
    let origin = StackOrigin.read(folder)
    let statuses = isUp ? try statuses(of: name) : []
    let counts = Dictionary(grouping: statuses, by: \.phase).mapValues(\.count).sorted { $0.key < $1.key }
    let state = counts.map { "\($0.key)(\($0.value))" }.joined(separator: ", ")
    var services: [String] = []
    for status in statuses where services.last != status.service.service { services.append(status.service.service) }
    return Entry(
      name: name, state: isUp ? state.isEmpty ? "no services" : state : "down", file: origin?.file,
      age: isUp ? origin.map { AgeText.short(since: Double($0.broughtUpAt)) } : nil,
      volumes: Files.list(folder.volumes), services: services)
  }

  package static func json(_ entries: [Entry]) -> String { JSONText.line(entries) }
}
