import Glibc
import Host
import Intent
import Kernel

extension HostExamination {
  /// The user ids that systemd sets aside for containers (systemd.io/UIDS-GIDS).
  static let containerIdentifiers: ClosedRange<UInt32> = 524_288...1_879_048_191

  func identifiers() -> [HostFinding] {
    var users = Self.users(ofPasswd: text(of: "/etc/passwd") ?? "")
    for file in ["/etc/subuid", "/etc/subgid"] {
      users += Self.users(ofRanges: text(of: file) ?? "").map { "\($0) in \(file)" }
    }
    let own = ownIdentifiers()
    users += Self.processOwners().filter { owner in !own.contains { $0.contains(owner) } }
      .map { "processes of uid \($0)" }
    return [Self.judge(identifierUsers: users)]
  }

  /// Those of the stacks that are up.
  private func ownIdentifiers() -> [ClosedRange<UInt32>] {
    let index = StackIndex(folders: folders)
    return index.names().flatMap { name in
      (try? index.desired(name))?.services.compactMap(\.identities) ?? []
    }
  }

  static func judge(identifierUsers users: [String]) -> HostFinding {
    guard !users.isEmpty else { return HostFinding(.good, "nobody uses the ids that are set aside for containers") }
    let more = users.count > 3 ? " and \(users.count - 3) more" : ""
    return HostFinding(
      .notice,
      "ids that are set aside for containers (524288 to 1879048191) are in use: "
        + users.prefix(3).joined(separator: ", ") + more,
      remedy: "nothing as long as they belong to other containers; users of the host should have ids below or above")
  }

  /// Names in the range, of passwd(5).
  static func users(ofPasswd text: String) -> [String] {
    text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count > 2, let uid = UInt32(fields[2]), containerIdentifiers.contains(uid) else { return nil }
      return "user \(fields[0])"
    }
  }

  /// Names whose subordinate ids lie in the range, of subuid(5).
  static func users(ofRanges text: String) -> [String] {
    text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count == 3, let first = UInt32(fields[1]), let count = UInt32(fields[2]), count > 0 else {
        return nil
      }
      let last = first.addingReportingOverflow(count - 1)
      let range = first...(last.overflow ? .max : last.partialValue)
      return range.overlaps(containerIdentifiers) ? "the range of \(fields[0])" : nil
    }
  }

  private static func processOwners() -> [UInt32] {
    var owners: Set<UInt32> = []
    for entry in Files.list("/proc") where Int32(entry) != nil {
      var status = stat()
      if stat("/proc/\(entry)", &status) == 0, containerIdentifiers.contains(status.st_uid) {
        owners.insert(status.st_uid)
      }
    }
    return owners.sorted()
  }
}
