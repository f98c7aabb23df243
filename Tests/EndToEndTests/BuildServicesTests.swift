import Foundation
import Glibc
import Testing

/// Services of a stack file that have `build:`.
@Suite(.enabled(if: TestBuilds.hasTools, "busybox is not installed: tools/setup --tests"))
struct BuildServicesTests {
  /// A step that ends once another build has come to the same place: only side by side both get through.
  private static func meeting(_ own: String, _ other: String) -> String {
    """
    FROM base
    RUN --mount=type=cache,target=/m touch /m/\(own); i=0; \
      while [ ! -e /m/\(other) ]; do i=$((i+1)); [ $i -lt 400 ] || exit 9; sleep 0.1; done
    """
  }

  @Test func independentOnesAreBuiltSideBySideAndSayWhichTheyAre() throws {
    try TestBuilds.with { host in
      try host.write(Self.meeting("a", "b"), to: "a/Dockerfile")
      try host.write(Self.meeting("b", "a"), to: "b/Dockerfile")
      try host.write("services: {a: {build: ./a}, b: {build: ./b}}", to: "s.stack")
      let outcome = try host.start(["stack", "build", "--progress", "plain", "-f", "s.stack"]).wait(limit: .seconds(90))
      #expect(outcome.status == 0, "\(outcome)")
      for text in ["[s-a 0 2/2] RUN", "[s-b 0 2/2] done in"] { #expect(outcome.errors.contains(text), "\(outcome)") }
      #expect(outcome.lines.map { $0.prefix(4) } == ["s-a:", "s-b:"], "\(outcome)")
      #expect(try host.leftovers() == "")
    }
  }

  @Test func oneWaitsForTheImageThatItIsBuiltFromAndEqualOnesAreBuiltOnce() throws {
    try TestBuilds.with { host in
      try host.write("FROM shop/common:1\nRUN cat /who && echo app >/app", to: "app/Dockerfile")
      try host.write("FROM base\nRUN sleep 1; echo common >/who", to: "common/Dockerfile")
      try host.write(
        """
        name: shop
        services:
          app: {build: ./app, command: [sleep, "1000"]}
          worker: {build: ./app, command: [sleep, "1000"]}
          common: {build: ./common, image: "shop/common:1", command: [sleep, "1000"]}
        """, to: "compose.yaml")
      let outcome = try host.start(["stack", "up", "--progress", "plain"]).wait(limit: .seconds(90))
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.errors.components(separatedBy: "RUN cat /who").count == 2, "\(outcome)")
      #expect(try host.succeed("stack", "exec", "worker", "cat", "/who", "/app") == "common\napp")
      try host.succeed("stack", "down")
    }
  }

  /// `local`: those that have no name but their service's. `all`: every one that no other stack runs from.
  @Test func downRemovesTheImagesThatItIsToldTo() throws {
    func names(_ host: ThrowawayHost) throws -> Set<String> {
      Set(
        try host.succeed("stack", "images").split(separator: "\n").dropFirst().map { line in
          line.split(separator: " ").prefix(2).joined(separator: ":")
        })
    }
    try TestBuilds.with { host in
      for name in ["own", "named"] { try host.write("FROM base\nRUN echo \(name) >/who", to: "\(name)/Dockerfile") }
      try host.write(
        """
        name: shop
        services:
          own: {build: ./own, command: [sleep, "1000"], scale: 2}
          named: {build: ./named, image: "mine:1", command: [sleep, "1000"]}
          other: {image: base, command: [sleep, "1000"]}
        """, to: "compose.yaml")
      try host.succeed("stack", "up", "--build")
      #expect(try names(host).isSuperset(of: ["shop-own:latest", "mine:1", "base:latest"]))
      try host.succeed("stack", "down", "--rmi", "local")
      #expect(try names(host).isDisjoint(with: ["shop-own:latest"]))
      #expect(try names(host).isSuperset(of: ["mine:1", "base:latest"]))
      try host.succeed("stack", "up", "--build")
      try host.write("services: {one: {image: base, command: [sleep, '1000']}}", to: "beside.stack")
      try host.succeed("stack", "up", "beside.stack")
      let down = try host.run("stack", "-p", "shop", "down", "--rmi", "all")
      #expect(down.status == 0 && down.errors.contains("image base:latest stays"), "\(down)")
      #expect(try names(host).isDisjoint(with: ["shop-own:latest", "mine:1"]))
      #expect(try names(host).contains("base:latest"))
    }
  }

  @Test func whereOneFailsTheOthersEndAndNothingIsLeft() throws {
    try TestBuilds.with { host in
      try host.write("FROM base\nRUN while true; do sleep 1; done", to: "a/Dockerfile")
      try host.write("FROM base\nRUN exit 3", to: "b/Dockerfile")
      try host.write("services: {a: {build: ./a}, b: {build: ./b}}", to: "s.stack")
      let outcome = try host.start(["stack", "build", "--progress", "plain", "-f", "s.stack"]).wait(limit: .seconds(60))
      #expect(outcome.status == 1 && outcome.errors.contains("b/Dockerfile:2"), "\(outcome)")
      #expect(outcome.errors.contains("exit code 3") && !outcome.errors.contains("cancelled"), "\(outcome)")
      #expect(outcome.errors.components(separatedBy: "] failed after").count == 2, "\(outcome)")
      #expect(try host.leftovers() == "")
    }
  }

  @Test func aChangeOfFilesBuildsTheImageAgainAndMakesTheServiceAnew() throws {
    try TestBuilds.with { host in
      // A file that the build does not see is no reason for one.
      try host.write("two", to: "web/cache/one")
      try host.write("two", to: "web/new.tmp")
      try host.write("FROM base\nCOPY page /www/index.html\nCMD [\"sleep\", \"1000\"]", to: "web/Dockerfile")
      try host.write("one", to: "web/page")
      try host.write(
        """
        name: shop
        services:
          web:
            build: ./web
            develop: {watch: [{path: ./web, action: rebuild, ignore: [notes]}]}
          other: {image: base, command: [sleep, "1000"]}
        """, to: "compose.yaml")
      try host.write("cache\n*.tmp\nDockerfile\n", to: "web/.dockerignore")
      try host.write("no part of the context", to: "web/cache/one")
      let watch = try host.start(["sh", "-c", "exec stack watch --progress plain 2>&1"])
      #expect(host.eventually(within: .seconds(90)) { watch.output.contains("web: watching") }, "\(watch.output)")
      #expect(try host.succeed("stack", "exec", "web", "cat", "/www/index.html") == "one")
      let other: Int = try host.field("PID", of: "other")
      try host.write("FROM base\nCOPY pag /www/index.html", to: "web/Dockerfile")
      #expect(host.eventually(within: .seconds(90)) { watch.output.contains("there is no \"pag\"") }, "\(watch.output)")
      #expect(try host.succeed("stack", "exec", "web", "cat", "/www/index.html") == "one")
      try host.write("two", to: "web/page")
      try host.write("FROM base\nCOPY page /www/index.html\nCMD [\"sleep\", \"1000\"]", to: "web/Dockerfile")
      #expect(
        host.eventually(within: .seconds(90)) { watch.output.contains("web: runs from what was built") },
        "\(watch.output)")
      #expect(try host.succeed("stack", "exec", "web", "cat", "/www/index.html") == "two")
      #expect(try host.field("PID", of: "other") == other)
      let first = watch.output.split(separator: "\n").first { $0.contains("changed, so") }
      #expect(first == "web: Dockerfile changed, so its image is built again", "\(watch.output)")
      // The patterns hold as they are now.
      try host.write("*.tmp\n", to: "web/.dockerignore")
      #expect(
        host.eventually(within: .seconds(90)) { watch.output.contains(".dockerignore changed") }, "\(watch.output)")
      try host.write("three", to: "web/cache/one")
      #expect(host.eventually(within: .seconds(90)) { watch.output.contains("cache/one changed") }, "\(watch.output)")
      try host.signal(SIGINT, to: watch)
      #expect(try watch.wait(limit: .seconds(20)).status == 0)
      try host.succeed("stack", "down")
    }
  }

  @Test(.enabled(if: TestImages.hasTools, "docker-registry, skopeo or umoci is not installed: tools/setup --tests"))
  func whatIsBuiltIsPushed() throws {
    try TestImages.withRegistry { host in
      try host.write("page", to: "web/page")
      try host.write(
        "FROM \(TestImages.registry)/test/web:1\nRUN echo built >/www/made\nCOPY page /www/", to: "web/Dockerfile")
      try host.write(
        """
        name: shop
        services:
          web:
            image: \(TestImages.registry)/shop/web:1
            build: {context: ./web, tags: ["\(TestImages.registry)/shop/web:latest"]}
        """, to: "compose.yaml")
      let outcome = try host.start(["stack", "build", "--push"]).wait(limit: .seconds(90))
      #expect(outcome.status == 0, "\(outcome)")
      let id = try host.succeed("stack", "images", "-q", "--no-trunc", "\(TestImages.registry)/shop/web")
      for tag in ["1", "latest"] {
        #expect(outcome.output.contains("\(TestImages.registry)/shop/web:\(tag): pushed"), "\(outcome)")
        let config = try host.succeed(
          "sh", "-c",
          """
          skopeo inspect --raw --tls-verify=false docker://\(TestImages.registry)/shop/web:\(tag) | jq -r .config.digest
          """)
        #expect(id.split(separator: "\n").allSatisfy { $0 == config }, "\(id) \(config)")
      }
      // Another host gets the same files.
      try host.succeed("stack", "image", "rm", "-f", "\(TestImages.registry)/shop/web:1")
      try host.up("services: {web: {image: \(TestImages.registry)/shop/web:latest}}", named: "s")
      #expect(try host.succeed("stack", "exec", "web", "cat", "/www/made", "/www/page") == "built\npage")
      try host.succeed("stack", "down", "s")
      let refused = try host.run("stack", "build", "--push", "-t", "127.0.0.1:5999/none/here:1", "web")
      #expect(refused.status == 1 && refused.errors.contains("127.0.0.1:5999"), "\(refused)")
    }
  }
}
