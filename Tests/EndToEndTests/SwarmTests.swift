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

    /// The node and the container of the first task of a service.
    private func place(of service: String) throws -> (node: Int, container: String) {
      for node in 1...2 {
        let found = try docker(node, "ps -q --filter label=com.docker.swarm.service.name=\(service)").lines.first
        if let found, !found.isEmpty { return (node, found) }
      }
      throw HarnessError("\(service) runs on no node")
    }

    /// Asks from the network namespace of a task; the host's curl, since a static busybox finds no names.
    func page(_ url: String, from service: String) throws -> String {
      let (node, container) = try place(of: service)
      let pid = try docker(node, "inspect -f '{{.State.Pid}}' \(container)").output
      let namespace = pid.split(separator: "\n").first.map { "/proc/\($0)/ns/net" } ?? ""
      return try host.run("nsenter", "--net=\(namespace)", "curl", "-s", "--connect-timeout", "5", url).output
    }

    /// The addresses that a name has in a task.
    func addresses(_ name: String, from service: String) throws -> [String] {
      let (node, container) = try place(of: service)
      return try docker(node, "exec \(container) /bin/busybox nslookup \(name)").lines
        .filter { $0.hasPrefix("Address: ") && !$0.hasSuffix(":53") }.map { String($0.dropFirst(9)) }.sorted()
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
          let page = try swarm.page("http://\(address)/", from: "web_web\(source)")
          #expect(page.contains("This is web\(target)"), "web\(source) -> web\(target)")
        }
      }

      try host.write(Self.inner, to: "inner.stack")
      try swarm.deploy("inner.stack", as: "inner", tasks: 4)
      #expect(try swarm.addresses("pair", from: "inner_shut").count == 2, "a name leads to all tasks")
      // A published port of the other stack, by the address of each node.
      let pages = (1...2).map { "http://10.99.0.\($0):8081/" }
      #expect(try pages.count { try swarm.page($0, from: "inner_open").contains("This is web1") } == 1)
      #expect(
        try pages.allSatisfy { try swarm.page($0, from: "inner_shut") == "" }, "an internal network stays internal")
    }
  }
}
