import Foundation
import Fuzzing
import Glibc
import Testing

private let dockerIsHere = access("/usr/sbin/dockerd", X_OK) == 0 || access("/usr/bin/dockerd", X_OK) == 0

/// `stack export swarm`, deployed to two Docker daemons in network namespaces of their own.
@Suite struct SwarmTests {
  private static let images = "web-host inner-host"

  /// A service with two replicas, one on an internal network, and one that can get out.
  private static let inner = """
    name: inner
    services:
      pair: {command: [busybox, httpd, -f, -p, "80", -h, /www], networks: [closed], scale: 2, restart: always}
      shut: {command: [sleep, infinity], networks: [closed], restart: always}
      open: {command: [sleep, infinity], networks: [closed, way], restart: always}
    networks: {closed: {internal: true}, way: {}}

    """

  private struct Swarm {
    let host: ThrowawayHost

    func docker(_ node: Int, _ command: String, input: String = "") throws -> Outcome {
      try host.run(
        "sh", "-c", "docker -H unix:///run/swarm/\(node).sock \(command)", input: Data(input.utf8), limit: .seconds(120)
      )
    }

    /// Waits until every service has all of its tasks.
    func deploy(_ file: String, as name: String, tasks: Int) throws {
      let text = try host.succeed("stack", "export", "swarm", file)
      let outcome = try docker(1, "stack deploy --resolve-image never -c - \(name)", input: text)
      #expect(outcome.status == 0, "\(outcome)")
      let list = "stack ps \(name) --filter desired-state=running --format '{{.CurrentState}}'"
      let isUp = try host.eventually(within: .seconds(90)) {
        try docker(1, list).lines.count { $0.hasPrefix("Running") } == tasks
      }
      guard isUp else { throw HarnessError("\(try docker(1, "stack ps --no-trunc \(name)"))") }
    }

    /// Runs a line of shell in the first task of a service, wherever that is.
    func inside(_ service: String, _ line: String) throws -> String {
      for node in 1...2 {
        let found = try docker(node, "ps -q --filter label=com.docker.swarm.service.name=\(service)").lines.first
        if let found, !found.isEmpty { return try docker(node, "exec \(found) /bin/busybox sh -c '\(line)'").output }
      }
      throw HarnessError("\(service) runs on no node")
    }

    /// The addresses that a name has there. busybox finds no library to ask by itself, so its nslookup does.
    func addresses(_ name: String, from service: String) throws -> [String] {
      try inside(service, "nslookup \(name) | sed -n \"s/^Address: *//p\" | grep -v :").split(separator: "\n")
        .map(String.init).sorted()
    }
  }

  @Test(
    .enabled(if: dockerIsHere, "dockerd is not installed: tools/setup --tests"),
    .enabled(if: TestExtent.isWhole, "two daemons take half a minute: tools/test --long"))
  func twoNodesRunTheStack() throws {
    try ThrowawayHost.with { host in
      let script = "\(Repository.root)/Tests/EndToEndTests/Scripts/two-docker-nodes.sh"
      let nodes = try host.start(["env", "IMAGES=\(Self.images)", "sh", script, "/run/swarm"])
      let isReady = try host.eventually(within: .seconds(120)) {
        try host.run("test", "-e", "/run/swarm/ready").status == 0
      }
      guard isReady else { throw HarnessError("no swarm: \(nodes.output)") }
      let swarm = Swarm(host: host)

      try swarm.deploy(Repository.stackFile("web.stack"), as: "web", tasks: 3)
      for number in 1...3 {
        // In host mode, the node that runs the task answers.
        let pages = try (1...2).map { node in
          try host.run(
            "ip", "netns", "exec", "node\(node)", "curl", "-s", "--retry", "5", "-m", "5", "127.0.0.1:808\(number)"
          ).output
        }
        #expect(pages.count { $0.contains("This is web\(number)") } == 1, "\(pages)")
      }
      for source in 1...3 {
        for target in 1...3 {
          let addresses = try swarm.addresses("web\(target)", from: "web_web\(source)")
          let address = try #require(addresses.first)
          // Across nodes, wherever the two are.
          let page = try swarm.inside("web_web\(source)", "busybox wget -T 5 -qO- http://\(address)/")
          #expect(page.contains("This is web\(target)"), "web\(source) -> web\(target)")
        }
      }

      try host.write(Self.inner, to: "inner.stack")
      try swarm.deploy("inner.stack", as: "inner", tasks: 4)
      #expect(try swarm.addresses("pair", from: "inner_shut").count == 2, "a name leads to all tasks")
      // A published port of the other stack, by the address of each node.
      let ask = (1...2).map { "busybox wget -T 2 -qO- http://10.99.0.\($0):8081/" }.joined(separator: "; ")
      #expect(try swarm.inside("inner_open", ask).contains("This is web1"))
      #expect(try swarm.inside("inner_shut", ask) == "", "an internal network stays internal")

      try host.run("touch", "/run/swarm/stop")
      _ = try nodes.wait(limit: .seconds(60))
    }
  }
}
