import Testing
@testable import StackFiles

@Suite struct MergeTests {
  private func merged(_ base: String, _ over: String) -> StackFile.Service? {
    func text(_ keys: String) -> String { "services: {web: {\(keys)}}" }
    let outcome = load(
      text(base), others: ["/lab/over.stack": text(over) + "\nvolumes: {data: }\nnetworks: {a: , b: }"],
      paths: ["web.stack", "over.stack"])
    #expect(outcome.diagnostics.isEmpty)
    return outcome.stack?.services["web"]
  }

  /// A file that says to stand alone does so with services that extend others, too.
  @Test(arguments: ["", "!override"])
  func aWholeFileMayTakeTheOthersPlace(_ tag: String) {
    let outcome = load(
      "services: {web: {command: a}}",
      others: [
        "/lab/over.stack":
          "\(tag)\nservices: {api: {extends: {service: base}}, base: {command: b, hostname: of-base}}"
      ], paths: ["web.stack", "over.stack"])
    #expect(outcome.diagnostics.isEmpty)
    #expect(outcome.stack?.services["api"]?.hostname?.value == "of-base")
    #expect(Set(outcome.stack?.services.names ?? []) == (tag.isEmpty ? ["web", "api", "base"] : ["api", "base"]))
  }

  @Test func scalarsAreReplaced() {
    let service = merged("command: nginx, hostname: a, user: x", "hostname: b, user: ")
    #expect(service?.hostname?.value == "b")
    #expect(service?.user?.value.user == "x")
    #expect(service?.arguments == ["nginx"])
  }

  @Test func commandsAreReplaced() {
    let service = merged(
      "command: [a, b], entrypoint: [c], healthcheck: {test: [CMD, x], retries: 5}",
      "command: [d], entrypoint: [e], healthcheck: {test: [CMD, y]}")
    #expect(service?.arguments == ["e", "d"])
    #expect(service?.healthCheck?.test.value == .command(["y"]))
    #expect(service?.healthCheck?.retries == 5)
  }

  @Test func environmentsOfBothFormsMerge() {
    let service = merged("command: nginx, environment: [A=1, B=2]", "environment: {B: 3, C: 4}, labels: [x=1]")
    #expect(service?.environment.map { "\($0.name.value)=\($0.value)" } == ["A=1", "B=3", "C=4"])
    let other = merged("command: nginx, labels: {x: 1}", "labels: [x=2, y=3]")
    #expect(other?.labels.map(\.value) == ["2", "3"])
  }

  @Test func networksOfBothFormsMerge() {
    let service = merged("command: nginx, networks: [a]", "networks: {a: {aliases: [www]}, b: }")
    #expect(service?.attachments.map(\.network.value) == ["a", "b"])
    #expect(service?.attachments.first?.aliases.map(\.value) == ["www"])
  }

  @Test func portsAreKeyedByAllTheirParts() {
    let service = merged("command: nginx, ports: [\"80:80\", \"81:81\"]", "ports: [\"80:80/tcp\", \"82:82\"]")
    #expect(service?.ports.map(\.host) == [.fixed(80...80), .fixed(81...81), .fixed(82...82)])
    let other = merged("command: nginx, ports: [{target: 80, published: 80}]", "ports: [\"80:80\"]")
    #expect(other?.ports.count == 1)
  }

  @Test func mountsAreKeyedByTarget() {
    let service = merged(
      "command: nginx, volumes: [\"./a:/x\", \"data:/y\"]",
      "volumes: [\"./b:/x:ro\", {type: bind, source: ./c, target: /y}]")
    #expect(
      service?.mounts.map(\.source) == [
        .bind(path: "/lab/b", creates: true), .bind(path: "/lab/c", creates: true),
      ])
  }

  @Test func otherListsAppend() {
    #expect(merged("command: nginx, expose: [80]", "expose: [81]")?.exposed.map(\.ports) == [80...80, 81...81])
  }

  @Test func resetRemovesAndOverrideReplaces() {
    let service = merged(
      "command: nginx, hostname: a, ports: [\"80:80\"], environment: {A: 1, B: 2}, expose: [1]",
      "hostname: !reset null, ports: !override [\"81:81\"], environment: {A: !reset null}, expose: !reset []")
    #expect(service?.hostname == nil)
    #expect(service?.ports.map(\.host) == [.fixed(81...81)])
    #expect(service?.environment.map(\.name.value) == ["B"])
    #expect(service?.exposed.isEmpty == true)
  }

  @Test func relativePathsStartAtTheFirstFile() {
    let outcome = load(
      "services: {web: {command: nginx}}",
      others: ["/lab/deep/over.stack": "services: {web: {volumes: [\"./a:/a\"]}}"],
      paths: ["web.stack", "deep/over.stack"])
    #expect(outcome.stack?.services["web"]?.mounts.map(\.source) == [.bind(path: "/lab/a", creates: true)])
    #expect(outcome.stack?.name.value == "web")
  }

  @Test func mergeKeysTakeMappingsAndLists() {
    let text = """
      x-a: &a {command: a, hostname: a, user: a}
      x-b: &b {hostname: b, tty: true}
      services:
        one: {<<: *a, hostname: own}
        two: {<<: [*b, *a]}
        three: {hostname: own, <<: [*a, *b]}
      """
    let found = services(text)
    #expect(found.map { $0.hostname?.value } == ["own", "b", "own"])
    #expect(found.map(\.hasTerminal) == [false, true, true])
    #expect(found.map { $0.user?.value.user } == ["a", "a", "a"])
  }
}
