import Foundation
import Glibc
import Testing

private let hasTools = access("/usr/bin/podman", X_OK) == 0

/// Images of the Podman of this host.
@Suite(.enabled(if: hasTools, "podman is not installed: tools/setup --tests"))
struct PodmanStorageTests {
  @Test func anImageOfPodmanRuns() throws {
    try ThrowawayHost.with { host in
      try host.succeed(
        "bash", "-c",
        """
        set -e
        mkdir -p /etc/containers /run/root/etc
        printf '[storage]\ndriver = "vfs"\ngraphroot = "/run/podman"\nrunroot = "/run/podman-run"\n' \
          >/etc/containers/storage.conf
        cp "$(command -v busybox)" /run/root/ && echo 'from Podman' >/run/root/etc/note
        tar -C /run/root -c . | podman import -q --change 'CMD ["/busybox", "sleep", "1000"]' - team/web:1
        """)
      try host.up("services: {web: {image: \"containers-storage:team/web:1\"}}", named: "shop")
      #expect(try host.succeed("stack", "exec", "web", "/busybox", "cat", "/etc/note") == "from Podman")
      #expect(try host.succeed("find", "/var/lib/stack/.images/ingest", "-mindepth", "1").isEmpty)
      let none = try host.run("stack", "pull", "containers-storage:localhost/team/none:1")
      #expect(none.status == 1 && none.errors.contains("the Podman of this host has no such image"), "\(none)")
      let away = try host.run(
        "env", "PATH=/nowhere", "\(Repository.binaryFolder)/stack", "pull", "containers-storage:team/web:1")
      #expect(away.status == 1 && away.errors.contains("no program podman in PATH"), "\(away)")
    }
  }
}
