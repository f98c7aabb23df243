import Glibc
import TestSupport
import Testing
@testable import Host
@testable import Intent
@testable import Kernel
@testable import Runtime
@testable import Vocabulary

@Suite struct StackIndexTests {
  private let folder: TemporaryFolder
  private var index: StackIndex { StackIndex(folders: folder.folders) }

  init() throws {
    folder = try TemporaryFolder()
    try stack("web", ["web1", "proxy", "db-1", "db-2"])
    try stack("lab", ["web1", "router"])
    try Files.makeFolder(folder.folders.host)
  }

  private func stack(_ name: String, _ services: [String]) throws {
    for service in services { try Files.makeFolder(folder.folders.stack(name).service(service).path) }
  }

  private func find(_ text: String, replica: Int? = nil, in stack: String? = nil) -> String {
    do throws(StackErrors) {
      let place = try index.find(text, replica: replica, in: stack)
      return "\(place.stack)/\(place.service)"
    } catch {
      return "\(error)"
    }
  }

  /// A stack as it is after `up`, with its record.
  private func record(_ name: String, _ text: String) throws {
    var desired = try resolve(text)
    desired.name = name
    try stack(name, desired.services.map(\.name))
    try StateFile(path: folder.folders.stack(name).intent).write(desired)
  }

  @Test func stacksAreThoseWithState() {
    #expect(index.names() == ["lab", "web"])
    #expect(StackIndex(folders: StateFolders(run: "\(folder.path)/none")).names().isEmpty)
  }

  @Test func aServiceIsFoundByItsNameWithOrWithoutItsStack() {
    #expect(find("router") == "lab/router")
    #expect(find("web/web1") == "web/web1")
    #expect(find("web1", in: "lab") == "lab/web1")
    // What is written out counts.
    #expect(find("web/web1", in: "lab") == "web/web1")
    #expect(find("db-2") == "web/db-2")
  }

  @Test func oneThatIsInSeveralStacksIsAskedAbout() {
    #expect(find("web1") == "error: service web1 runs in more than one stack\n  say which: lab/web1, web/web1")
  }

  @Test func theNameOfAServiceWithReplicasMeansAllOfThem() throws {
    try record("shop", "services: {app: {command: [x], scale: 11}, app-x: {command: [x]}, one: {command: [x]}}")
    let all = (1...11).map { StackIndex.Place(stack: "shop", service: "app-\($0)") }
    #expect(try index.places(of: "app", in: nil) == all)
    #expect(try index.places(of: "shop/app", in: nil) == all)
    #expect(try index.places(of: ["app-3", "app", "one"], in: nil).map(\.service).prefix(2) == ["app-3", "app-1"])
    #expect(try index.places(of: ["app-3", "app", "one"], in: nil).count == 12)
    #expect(find("app") == "shop/app-1")
    #expect(find("app", replica: 1) == "shop/app-1")
    #expect(find("app", replica: 11) == "shop/app-11")
    #expect(find("app", replica: 12).hasPrefix("error: no service named app-12 is up"))
    #expect(find("one", replica: 1) == "shop/one")
    // A name that only begins like another is another.
    #expect(find("app-x") == "shop/app-x")
    #expect(find("ap").hasPrefix("error: no service named ap is up"))
    try record("mall", "services: {app: {command: [x]}}")
    #expect(find("app") == "error: service app runs in more than one stack\n  say which: mall/app, shop/app")
    #expect(find("mall/app") == "mall/app")
  }

  @Test func replicasWhoseRecordIsLostAreShown() {
    #expect(find("db") == "error: no service named db is up\n  there are: web/db-1, web/db-2")
    #expect(find("web/db") == "error: no service named db is up in stack web\n  there are: web/db-1, web/db-2")
  }

  @Test func anUnknownNameIsAnsweredWithThoseThereAre() {
    #expect(
      find("nobody", in: "lab")
        == "error: no service named nobody is up in stack lab\n  there are: lab/router, lab/web1")
    #expect(find("nobody/web1") == "error: no stack named nobody is up\n  there are: lab, web")
    #expect(find("web1", in: "nobody") == "error: no stack named nobody is up\n  there are: lab, web")
  }

  @Test(arguments: [
    "", ".", "..", "/", "web/", "/web1", "web/..", "web/.", "web/../web", "web/proxy/..", "../web", ".host/x", "..//",
  ])
  func aNameLeadsNowhereElse(text: String) {
    #expect(find(text).hasPrefix("error: no s"))
  }

  @Test func theOnlyStackNeedsNoName() throws {
    #expect(throws: StackErrors.self) { try index.stack(named: nil) }
    try Files.remove(folder.folders.stack("lab").path)
    #expect(try index.stack(named: nil) == "web")
    try Files.remove(folder.folders.stack("web").path)
    let failure = #expect(throws: StackErrors.self) { try index.stack(named: nil) }
    #expect(failure?.description == "error: no stack is up\n  bring one up: stack up FILE")
  }

  // MARK: Records

  @Test func aRecordIsReadAsItIsNow() throws {
    let path = folder.folders.stack("web").service("web1").record
    #expect(try index.record(of: "web1", in: "web").phase == .created)
    var record = ServiceRecord(service: "web1")
    record.phase = .running
    record.process = try ProcessIdentity(of: getpid())
    try StateFile(path: path).write(record)
    #expect(try index.record(of: "web1", in: "web") == record)
    // A process of that number that began at another time is not the service.
    record.process = ProcessIdentity(pid: getpid(), startTime: 1, bootID: record.process?.bootID ?? "")
    try StateFile(path: path).write(record)
    let ended = try index.record(of: "web1", in: "web")
    #expect(ended.phase == .exited && ended.process == nil && ended.exitCode == nil)
    // Nor is anything of another boot.
    record.process = ProcessIdentity(pid: getpid(), startTime: 1, bootID: "another")
    try StateFile(path: path).write(record)
    #expect(try index.record(of: "web1", in: "web").phase == .exited)
  }

  @Test func statesReadAsPeopleSayThem() throws {
    let service = try #require(try resolve("services: {a: {command: [x]}}").services.first)
    func state(_ change: (inout ServiceRecord) -> Void) -> String {
      var record = ServiceRecord(service: "a")
      change(&record)
      return StackIndex.ServiceStatus(stack: "web", service: service, record: record).state
    }
    #expect(state { _ in } == "created")
    #expect(state { ($0.phase, $0.exitCode) = (.exited, 137) } == "exited with 137")
    let killed = state { ($0.phase, $0.exitCode, $0.ranOutOfMemory) = (.exited, 137, true) }
    #expect(killed == "exited with 137, out of memory")
    #expect(state { $0.phase = .exited } == "exited")
    #expect(state { ($0.phase, $0.restarts) = (.restarting, 3) } == "restarting, restarted 3 times")
    #expect(state { ($0.phase, $0.health) = (.running, .init(status: .healthy)) } == "running, healthy")
    #expect(state { ($0.phase, $0.restarts) = (.running, 2) } == "running, restarted 2 times")
    #expect(state { ($0.phase, $0.health) = (.exited, .init(status: .healthy)) } == "exited")
  }
}
