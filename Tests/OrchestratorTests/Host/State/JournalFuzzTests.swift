import FoundationEssentials
import Fuzzing
import TestSupport
import Testing
@testable import Host
@testable import Intent
@testable import Kernel
@testable import Loop
@testable import Names
@testable import Planning
@testable import Rules
@testable import Runtime
@testable import StackFiles
@testable import Supervision

/// Damaged state files of a stack: each is read as absent, or as a record that plans can be made from.
@Suite struct JournalFuzzTests {
  private static let text = """
    services:
      web:
        command: [httpd, "-f"]
        scale: 2
        user: "33:33"
        environment: {A: "1"}
        networks: {front: {aliases: [www], delay: 10ms}, back: {gw_priority: 1}}
        ports: ["8080-8082:80"]
        volumes: ["data:/data", "/tmp:/host:ro"]
        tmpfs: ["/run:size=64k,mode=700"]
        depends_on: {db: {condition: service_completed_successfully}}
        restart: on-failure:3
        healthcheck: {test: "true", interval: 1s}
        mem_limit: 64m
      db: {command: [x], networks: [back], restart: on-failure, ports: ["127.0.0.1:53:53/udp"], routes: ["10.9.0.0/16 via 10.8.0.2"]}
      cache: {command: [x], networks: [front]}
    networks: {front: {subnet: 10.1.0.0/24, enable_ipv6: true}, back: {internal: true, default: deny}}
    volumes: {data: {}}
    policies: [{allow: "web* -> db:5432/tcp"}]
    links: [{ends: {db: {address: [10.8.0.1/30]}, cache: {address: [10.8.0.2/30]}}}]
    """
  private static let words = [
    "{", "}", "[", "]", "\"", ",", ":", "null", "true", "{}", "[]", "\"\"", "\\u0000", "1e308", "-1", "../",
    "\"name\":", "\"services\":[]",
  ].map { Array($0.utf8) }

  @Test func whatIsReadCanBePlannedWith() throws {
    let file = StackFileLoader(
      files: FilesInMemory(["/lab/web.stack": Self.text]), environment: [:], workingFolder: "/lab")
    let loaded = file.load(["web.stack"])
    try #require(loaded.stack != nil, "\(DiagnosticRenderer().render(loaded.diagnostics))")
    let stack = try resolve(Self.text)
    var record = ServiceRecord(service: "web-1")
    record.phase = .running
    record.process = ProcessIdentity(pid: 412, startTime: 73201, bootID: "7e1c")
    (record.startedAt, record.finishedAt, record.exitCode, record.pausedAt) = (1.5, 2.25, 137, 3)
    let result = ServiceRecord.Health.Result(startedAt: 1.5, finishedAt: 2.25, exitCode: 1, output: "no\n")
    (record.restarts, record.health) = (3, .init(status: .unhealthy, failures: 3, results: [result]))
    let event = StackEvent(project: "web", service: "web-1", action: .die, attributes: ["exitCode": "1"])
    let (stacks, records, events) = try (
      [Self.json(stack), Self.json(DesiredStack.empty(named: "web"))], [Self.json(record)], [Self.json(event)]
    )
    let folder = try TemporaryFolder()
    let server = NameServer(loop: try EventLoop(), resolvers: HostResolvers(path: "/dev/null"))
    try Fuzz.run(.journal) { input in
      if let read: DesiredStack = try Self.read(input.mutant(of: stacks, words: Self.words), folder) {
        Self.use(read, instead: stack, server)
      }
      if let read: ServiceRecord = try Self.read(input.mutant(of: records, words: Self.words), folder) {
        Self.use(read, instead: record)
      }
      let line = input.mutant(of: events, words: Self.words)
      _ = (try? JSONDecoder().decode(StackEvent.self, from: Data(line))).map { "\($0)" }
    }
  }

  /// The same text each time, so that a seed stands for the same case.
  private static func json(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return try [UInt8](encoder.encode(value))
  }

  private static func read<Value: Codable>(_ bytes: [UInt8], _ folder: TemporaryFolder) throws -> Value? {
    let path = "\(folder.path)/state.json"
    try Files.replace(path, with: bytes)
    return try StateFile<Value>(path: path).read()
  }

  private static func use(_ read: DesiredStack, instead stack: DesiredStack, _ server: NameServer) {
    var plans = [
      Planner.down(read, removeVolumes: true), Planner.up(stack, recorded: read, observed: ["db": .running]),
      Planner.up(read, recorded: nil, observed: [:]), Planner.start(read.services, in: read, observed: [:]),
      Planner.restart(read.services, in: read), Planner.pause(read.services, in: read, observed: ["db": .running]),
    ]
    plans.append(Planner.undo(plans[1].steps, of: stack, to: read))
    for step in plans.flatMap(\.steps) {
      _ = step.description
      _ = step.commands(folders: StateFolders())
    }
    _ = Firewall(read).transaction
    server.define(read)
    _ = try? resolve(text, previous: read)
    _ = read.nextOverrideEnd
  }

  private static func use(_ read: ServiceRecord, instead record: ServiceRecord) {
    _ = StackEvent.between(record, read, in: "web").map(\.description)
    _ = StackEvent.between(read, record, in: "web").map(\.description)
    _ = read.health?.complaint
    for seconds in [read.startedAt, read.finishedAt, read.pausedAt, read.health?.results.last?.finishedAt] {
      if let seconds { _ = SuspendingClock.now - .seconds(bounded: 1e9 - seconds) }
    }
  }
}
