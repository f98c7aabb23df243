import Foundation
import Glibc
import Testing

private let hasTools = access("/usr/sbin/dockerd", X_OK) == 0

/// Images of the Docker of this host, through its socket; and Docker's reading of what `save` writes.
@Suite(.enabled(if: hasTools, "docker is not installed: tools/setup --tests"))
struct DockerDaemonTests {
  private func withDocker(_ body: (ThrowawayHost) throws -> Void) throws {
    try ThrowawayHost.with { host in
      let daemon = try host.start([
        "dockerd", "--data-root", "/run/docker-data", "--exec-root", "/run/docker-exec", "--storage-driver", "vfs",
        "--iptables=false", "--ip6tables=false", "--bridge=none", "--pidfile", "/run/dockerd.pid", "-H",
        "unix:///run/docker.sock",
      ])
      guard host.eventually(within: .seconds(60), { (try? host.run("docker", "version").status) == 0 }) else {
        throw HarnessError("dockerd does not start: \(daemon.output)")
      }
      try host.succeed(
        "bash", "-c",
        """
        set -e
        mkdir -p /run/root/etc && cp "$(command -v busybox)" /run/root/ && echo 'from Docker' >/run/root/etc/note
        tar -C /run/root -c . | docker import --change 'CMD ["/busybox", "sleep", "1000"]' - team/web:1
        """)
      try body(host)
    }
  }

  @Test func anImageOfDockerRuns() throws {
    try withDocker { host in
      try host.up("services: {web: {image: \"docker-daemon:team/web:1\"}}", named: "shop")
      #expect(try host.succeed("stack", "exec", "web", "/busybox", "cat", "/etc/note") == "from Docker")
      #expect(try host.succeed("find", "/var/lib/stack/.images/ingest", "-mindepth", "1").isEmpty)
      let none = try host.run("stack", "pull", "docker-daemon:team/none:1")
      #expect(none.status == 1 && none.errors.contains("no such image"), "\(none)")
      let away = try host.run(
        "stack", "pull", "docker-daemon:team/web:1", environment: ["DOCKER_HOST": "unix:///run/none.sock"])
      #expect(away.status == 1 && away.errors.contains("/run/none.sock"), "\(away)")
      let far = try host.run(
        "stack", "pull", "docker-daemon:team/web:1", environment: ["DOCKER_HOST": "tcp://192.0.2.1:2375"])
      #expect(far.status == 1 && far.errors.contains("no socket of this host"), "\(far)")
    }
  }

  @Test func imagesAreDescribedAsDockerDescribesThem() throws {
    try withDocker { host in
      try host.succeed("stack", "pull", "docker-daemon:team/web:1")
      try host.succeed("stack", "tag", "docker-daemon:team/web:1", "team/web:1")
      func inspect(_ program: String, _ name: String) throws -> [String: Any] {
        let text = try host.succeed(program, "image", "inspect", name)
        let list = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
        return try #require(list?.first)
      }
      let (ours, theirs) = (try inspect("stack", "team/web:1"), try inspect("docker", "team/web:1"))
      for key in ["Id", "RepoTags", "Created", "Architecture", "Os"] {
        #expect("\(ours[key] ?? "")" == "\(theirs[key] ?? "")", "\(key)")
      }
      let layers = [ours, theirs].map { ($0["RootFS"] as? [String: Any])?["Layers"] as? [String] }
      #expect(layers[0] == layers[1] && layers[0]?.count == 1)
      #expect((ours["Config"] as? [String: Any])?["Cmd"] as? [String] == ["/busybox", "sleep", "1000"])
      func columns(_ program: String) throws -> [Substring] {
        let lines = try host.succeed(program, "images", "team/web").split(separator: "\n")
        #expect(lines.count == 2)
        return (lines.first ?? "").split(separator: "  ").map { $0.drop { $0 == " " } }.filter { !$0.isEmpty }
      }
      #expect(try columns("stack") == columns("docker"))
      let heading = try host.succeed("stack", "image", "history", "team/web:1").split(separator: "\n").first ?? ""
      #expect(heading.split(separator: " ") == ["IMAGE", "CREATED", "CREATED", "BY", "SIZE", "COMMENT"])
      #expect(try host.succeed("stack", "images", "-q", "--filter", "reference=team/*:1").isEmpty == false)
      #expect(try host.succeed("stack", "images", "-q", "--filter", "reference=other/*").isEmpty)
    }
  }
}
