import Foundation
import Glibc
import Testing

private let systemdIsHere = access("/lib/systemd/systemd", X_OK) == 0

/// `stack enable` and `disable`, with systemd itself as process 1 of namespaces of its own.
@Suite(.enabled(if: systemdIsHere, "systemd is not installed")) struct EnableTests {
  private static let script = "\(Repository.root)/Tests/EndToEndTests/Scripts/systemd-boot.sh"
  private static let shop = "name: shop\nservices: {web: {command: [sleep, infinity]}}\n"
  private static let bad = "name: bad\nservices: {web: {command: [sh, -c, exit 3], expose: [\"80\"]}}\n"

  /// A network that takes a second to come online.
  private static let prepare = """
    mkdir -p units/network-online.target.wants
    printf '[Unit]\\nDefaultDependencies=no\\nBefore=network-online.target\\n[Service]\\nType=oneshot\\n' >units/slow.service
    printf 'RemainAfterExit=yes\\nExecStart=/bin/sleep 1\\n' >>units/slow.service
    ln -s ../slow.service units/network-online.target.wants/
    """

  /// Boots, runs a command in the machine, and switches it off.
  private func boot(_ host: ThrowawayHost, _ command: String) throws -> Outcome {
    try host.run(
      "sh", "-c", "sh \(Self.script) \"$PWD/units\" \"$(cat)\"", input: Data(command.utf8), limit: .seconds(90))
  }

  @Test func aStackComesUpWithItsHost() throws {
    try ThrowawayHost.with { host in
      try host.write(Self.shop, to: "shop.stack")
      try host.write(Self.bad, to: "bad.stack")
      try host.succeed("sh", "-c", Self.prepare)
      let enabled = try boot(
        host,
        "stack enable shop.stack && stack enable bad.stack && systemctl is-enabled stack-shop stack-bad; stack ls -q")
      #expect(enabled.status == 0 && enabled.output.hasSuffix("enabled\nenabled"), "\(enabled)")

      let settled = "for n in $(seq 100); do systemctl is-active -q stack-shop && break; sleep 0.1; done; "
      let times =
        "systemctl show -p ActiveEnterTimestampMonotonic --value slow; "
        + "systemctl show -p ExecMainStartTimestampMonotonic --value stack-shop"
      let second = try boot(host, "\(settled)stack ls -q; \(times)")
      let lines = second.lines
      #expect(lines.count == 3 && lines.first == "shop", "\(second)")
      let order = lines.dropFirst().compactMap { UInt64($0) }
      #expect(order.count == 2 && order[0] > 0 && order[0] < order[1], "not after the network is online: \(second)")

      let states = try boot(
        host,
        settled + "for n in $(seq 100); do systemctl is-failed -q stack-bad && break; sleep 0.1; done; "
          + "systemctl status --no-pager stack-shop stack-bad; systemctl stop stack-shop; echo left: $(stack ls -q); "
          + "systemctl restart stack-shop; echo back: $(stack ls -q)")
      #expect(states.output.contains("Active: active (exited)"), "\(states)")
      #expect(states.output.contains("Active: failed (Result: exit-code)"), "\(states)")
      #expect(states.output.contains("(code=exited, status=1/FAILURE)"), "\(states)")
      #expect(states.output.hasSuffix("left:\nback: shop"), "\(states)")

      let disabled = try boot(
        host, "\(settled)stack disable shop && stack disable bad; stack ls -q; ls /etc/systemd/system/*.wants")
      #expect(disabled.output.contains("shop stays down when the host starts"), "\(disabled)")
      // Services that run go on.
      #expect(disabled.lines.contains("shop") && !disabled.output.contains("stack-shop.service\n"), "\(disabled)")
      let last = try boot(host, "sleep 1; echo up: $(stack ls -q); stack disable shop")
      #expect(
        last.status == 1 && last.output == "up:" && last.errors.contains("does not come up with the host"), "\(last)")
    }
  }
}
