import Orchestrator

/// The table that `link` prints: two lines for each link, one for each way.
enum LinkTable {
  static func show(_ statuses: [StackCommands.LinkStatus]) {
    let rows = statuses.map { status in
      [
        "\(status.service):\(status.network)", status.direction.rawValue, status.isDown ? "down" : "up",
        "\(status.condition)", status.isByHand ? "by hand" : status.condition.isClear ? "-" : "file",
        "\(status.packets)", "\(status.octets)", "\(status.dropped)",
      ]
    }
    let head = ["LINK", "WAY", "STATE", "CONDITIONS", "SET", "PACKETS", "OCTETS", "DROPPED"]
    print(Table.text([head] + rows), terminator: "")
  }
}
