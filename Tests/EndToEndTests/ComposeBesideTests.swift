import Fuzzing
import Glibc
import Testing

private let hasEngine = access("/usr/sbin/dockerd", X_OK) == 0 && access("/usr/bin/docker-compose", X_OK) == 0

/// Generated configurations of images, and files that say something else, brought up by docker-compose and by stack: process 1 of
/// both sees the same.
@Suite(.enabled(if: hasEngine, "docker.io or docker-compose is not installed: tools/setup --peers"))
struct ComposeBesideTests {
  @Test func servicesSeeWhatTheyWouldSeeUnderCompose() throws {
    try ThrowawayHost.with { host in
      let socket = ["DOCKER_HOST": "unix:///run/docker-beside.sock"]
      try host.succeed("mkdir", "-p", "/run/docker-beside")
      // An overlay cannot hold another's upper folder.
      try host.succeed("mount", "-t", "tmpfs", "engine", "/run/docker-beside")
      let engine = try host.start([
        "dockerd", "--data-root", "/run/docker-beside/data", "--exec-root", "/run/docker-beside/exec", "--pidfile",
        "/run/docker-beside.pid", "-H", "unix:///run/docker-beside.sock",
      ])
      let isUp = host.eventually(within: .seconds(60)) {
        (try? host.run("docker", "info", environment: socket).status) == 0
      }
      guard isUp else { throw HarnessError("dockerd does not start: \(engine.output)") }
      let outcome = try host.run(
        "python3", "\(Repository.root)/Tests/EndToEndTests/Scripts/compose-beside.py", "1",
        "\(TestExtent.size(120, sample: 30))", "/run/beside", environment: socket,
        limit: .seconds(TestExtent.size(1800, sample: 600)))
      #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
      try? host.signal(SIGTERM, to: engine)
      _ = try engine.wait(limit: .seconds(60))
    }
  }
}
