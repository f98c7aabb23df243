import Orchestrator
import Vocabulary

/// The table that `link` prints: two lines for each link, one for each way.
enum LinkTable {
  static func show(_ statuses: [LinkStatus]) {
    let rows = statuses.map { status in
      [
        "\(status.service):\(status.network ?? status.cable ?? status.interface)", status.direction.rawValue,
        status.isDown ? "down" : status.isCut ? "cut" : "up", "\(status.condition)", origin(of: status),
        "\(status.packets)", "\(status.octets)", "\(status.dropped)",
      ]
    }
    let head = ["LINK", "WAY", "STATE", "CONDITIONS", "SET", "PACKETS", "OCTETS", "DROPPED"]
    print(Table.text([head] + rows), terminator: "")
  }

  /// The origin of the conditions in force: the file or a change by hand, and for how long.
  private static func origin(of status: LinkStatus) -> String {
    guard status.isByHand else { return status.condition.isClear ? "-" : "file" }
    return status.secondsLeft.map { "by hand, \(Int($0.rounded(.up))) s left" } ?? "by hand"
  }
}
