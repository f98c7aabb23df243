import Glibc
import Testing
@testable import Isolation
@testable import Kernel
@testable import Runtime

/// The settings and their files, for cgroup v1 and v2. No file is written.
@Suite struct ControlGroupSettingTests {
  private func settings(_ limits: ResourceLimits) throws -> (unified: [String], legacy: [String]) {
    let settings = try limits.settings()
    return (
      settings.compactMap { $0.unified.first.map { "\($0.file)=\($0.value)" } },
      settings.map { "\($0.legacy.file)=\($0.legacy.value)" }
    )
  }

  @Test func standard() throws {
    let standard = try settings(ResourceLimits())
    #expect(standard.unified == ["pids.max=2048"] && standard.legacy == standard.unified)
    #expect(try ResourceLimits().settings().allSatisfy { !$0.isRequired })
    var none = ResourceLimits()
    none.processes = .none
    #expect(try settings(none).unified.isEmpty)
  }

  @Test func memoryAndSwap() throws {
    var limits = ResourceLimits()
    limits.processes = .none
    limits.memory = 64 << 20
    #expect(try settings(limits).unified == ["memory.max=67108864", "memory.swap.max=67108864"])
    #expect(
      try settings(limits).legacy == ["memory.limit_in_bytes=67108864", "memory.memsw.limit_in_bytes=134217728"])
    limits.memoryAndSwap = 64 << 20
    #expect(try settings(limits).unified.last == "memory.swap.max=0")
    #expect(try settings(limits).legacy.last == "memory.memsw.limit_in_bytes=67108864")
    limits.memoryAndSwap = .max
    #expect(try settings(limits).unified == ["memory.max=67108864"])
    limits.reservedMemory = 1 << 20
    #expect(try settings(limits).unified.last == "memory.low=1048576")
    #expect(try settings(limits).legacy.last == "memory.soft_limit_in_bytes=1048576")
  }

  @Test func processors() throws {
    var limits = ResourceLimits()
    limits.processes = .none
    limits.processorQuota = 150_000
    limits.processorShares = 1024
    limits.processors = "0-1"
    #expect(try settings(limits).unified == ["cpu.max=150000 100000", "cpu.weight=100", "cpuset.cpus=0-1"])
    #expect(try settings(limits).legacy == ["cpu.cfs_quota_us=150000", "cpu.shares=1024", "cpuset.cpus=0-1"])
  }

  /// The least, the usual and the most of either scale.
  @Test(arguments: [(2, 1), (1024, 100), (262_144, 10_000), (512, 59), (2048, 174)] as [(UInt64, UInt64)])
  func sharesBecomeWeights(_ shares: UInt64, _ weight: UInt64) {
    #expect(ResourceLimits.weight(ofShares: shares) == weight)
  }

  @Test func eachControllerIsTakenWhereItIs() {
    let hybrid = ControlGroups(
      unified: "/u", legacy: [.cpu: "/ca", .cpuacct: "/ca", .memory: "/m", .pids: "/p", .io: "/b", .freezer: "/f"])
    var limits = ResourceLimits()
    #expect(hybrid.legacyTrees(for: limits) == ["/p", "/m"])
    limits.processorQuota = 1000
    #expect(hybrid.legacyTrees(for: limits) == ["/p", "/m", "/ca"])
    #expect(hybrid.tracking == "/u")
    let old = ControlGroups(unified: nil, legacy: hybrid.legacy)
    #expect(old.legacyTrees(for: ResourceLimits()) == ["/p", "/m", "/ca", "/f"])
    #expect(old.tracking == "/f")
    let new = ControlGroups(unified: "/u", offered: [.cpu, .memory, .pids, .io])
    #expect(new.legacyTrees(for: limits).isEmpty && new.trees == ["/u"])
    #expect(ControlGroups.none.tracking == nil)
  }

  @Test(arguments: ["", "a", "1-", "-1", "3-1", "1,,2", "0-9999", "1 2"])
  func listsOfProcessorsThatAreNone(_ text: String) {
    #expect(ProcessorList(text) == nil)
  }

  @Test func listsOfProcessors() {
    #expect(ProcessorList("0-2,5")?.numbers == [0, 1, 2, 5])
  }

  @Test func withoutCgroupsNothingHappens() throws {
    var limits = ResourceLimits()
    limits.processes = .none
    let group = ControlGroups.none.group("stack/web")
    #expect(try group.create(limits).isEmpty)
    #expect(
      try group.entrance.birthplace().descriptor == nil && group.entrance.open.isEmpty && group.processes().isEmpty)
    try group.kill()
    try group.remove(upTo: "stack")
    // The limit that nobody asked for is told of, the one that somebody did is an error.
    #expect(try group.create().count == 1)
    limits.processes = .exactly(5)
    #expect { _ = try group.create(limits) } throws: { error in
      (error as? KernelError)?.description.contains("cannot limit the number of processes of stack/web") == true
    }
  }
}

/// The way of a process into a group. Its folder and files are a throwaway folder's.
@Suite struct ControlGroupEntranceTests {
  @Test func isThereWithAllThatItConsistsOf() throws {
    let root = try BusyboxRoot()
    let (folder, file, other) = ("\(root.folder)/group", "\(root.folder)/tasks", "\(root.folder)/other")
    let entrances = [
      ControlGroupEntrance(folder: folder, files: [file]), ControlGroupEntrance(folder: folder, files: []),
      ControlGroupEntrance(folder: nil, files: [file]), ControlGroupEntrance(folder: nil, files: [file, other]),
      ControlGroupEntrance.none,
    ]
    #expect(entrances.map(\.isThere) == [false, false, false, false, true])
    try #require(mkdir(folder, 0o755) == 0)
    #expect(entrances.map(\.isThere) == [false, true, false, false, true])
    try root.write("", to: "tasks")
    #expect(entrances.map(\.isThere) == [true, true, true, false, true])
    #expect(entrances.map(\.open) == [[file], [], [file], [file], []])
    try #require(rmdir(folder) == 0)
    #expect(entrances.map(\.isThere) == [false, false, true, false, true])
    #expect(try entrances[0].birthplace().descriptor == nil, "a group that is gone is none to be born in")
  }
}

/// On the host's own trees, which are one for all: these keep to a folder that carries the test's name, and remove it.
@Suite(.serialized, .enabled(if: isRoot(), "cgroups take root"))
struct ControlGroupTests {
  private let name = "stack-test-\(getpid())"
  private let groups: ControlGroups

  init() throws {
    groups = try ControlGroups.observe()
    try #require(groups.tracking != nil)
  }

  private func launch(_ script: String, in group: ControlGroup, _ root: borrowing BusyboxRoot) throws -> LaunchedProcess
  {
    let launcher = try ContainerLauncher(initPath: InitProgram.path)
    var spec = ContainerSpec(
      hostname: "web1", root: root.overlay, process: ContainerProcess(["sh", "-c", script]))
    let birthplace = try group.entrance.birthplace()
    spec.process.cgroup = birthplace.descriptor
    spec.process.cgroupEntrances = group.entrance.open
    return try launcher.launch(spec)
  }

  private func file(_ controller: ControlGroups.Controller, _ name: String, _ legacy: String, of group: ControlGroup)
    throws -> String
  {
    let isUnified = groups.offered.contains(controller)
    let tree = try #require(isUnified ? groups.unified : groups.legacy[controller])
    let path = "\(tree)/\(group.path)/\(isUnified ? name : legacy)"
    return String(Shell.run("cat \(path)").output.dropLast())
  }

  @Test func lifeCycle() throws {
    let group = groups.group("\(name)/web/web1")
    let other = groups.group("\(name)/web/web2")
    _ = try group.create()
    _ = try other.create()
    let root = try BusyboxRoot()
    let service = try launch("sleep 1000 & sleep 1000", in: group, root)
    #expect(try group.processes().contains(service.pid))
    let membership = Shell.run("cat /proc/\(service.pid)/cgroup").output
    #expect(membership.contains("/\(name)/web/web1"))
    #expect(try file(.pids, "pids.max", "pids.max", of: group) == "2048")
    let count = try #require(UInt64(try file(.pids, "pids.current", "pids.current", of: group)))
    #expect(count >= 2)
    #expect(try group.usage().memory ?? 0 > 0)
    try group.kill()
    #expect(try ProcessHandle.wait(for: service.pidfd) == .signaled(signal: SIGKILL, coreDumped: false))
    try group.remove(upTo: name)
    #expect(try groups.folders(in: "\(name)/web").map(\.name).allSatisfy { $0 == "web2" })
    try other.remove(upTo: name)
    for tree in groups.trees { #expect(!Shell.run("ls \(tree)").output.contains(name)) }
    #expect(throws: KernelError.self) { _ = try groups.group("a/../../b").create() }
  }

  /// A group of version 2 that was killed kills what is born in it: so none is used twice.
  @Test func aKilledGroupIsMadeAnew() throws {
    let group = groups.group("\(name)/again")
    let root = try BusyboxRoot()
    for _ in 0..<2 {
      _ = try group.create()
      let service = try launch("sleep 1000", in: group, root)
      // Still in it when it is made anew: ended by that.
      _ = try group.create()
      #expect(try ProcessHandle.wait(for: service.pidfd) == .signaled(signal: SIGKILL, coreDumped: false))
    }
    try group.remove(upTo: name)
  }

  @Test func whatIsFrozenStandsStillAndCanBeKilled() throws {
    let group = groups.group("\(name)/frozen")
    _ = try group.create()
    let root = try BusyboxRoot()
    let service = try launch("while :; do :; done", in: group, root)
    try group.freeze()
    #expect(try group.isFrozen())
    let before = try #require(try group.usage().processorTime)
    usleep(50_000)
    #expect(try group.usage().processorTime == before)
    try group.thaw()
    usleep(50_000)
    #expect(try #require(try group.usage().processorTime) > before)
    try group.freeze()
    try group.kill()
    #expect(try ProcessHandle.wait(for: service.pidfd) == .signaled(signal: SIGKILL, coreDumped: false))
    try group.remove(upTo: name)
  }

  /// The back end for version 1 alone, wherever there is a freezer.
  @Test(.enabled(if: (try? ControlGroups.observe().legacy[.freezer]) != nil, "no freezer of version 1"))
  func withoutVersion2() throws {
    let old = ControlGroups(unified: nil, legacy: groups.legacy)
    let group = old.group("\(name)/old")
    _ = try group.create()
    let root = try BusyboxRoot()
    let service = try launch("while :; do sleep 1 & sleep 0.01; done", in: group, root)
    #expect(try group.processes().contains(service.pid))
    try group.freeze()
    #expect(try group.isFrozen())
    try group.thaw()
    #expect(try !group.isFrozen())
    #expect(try group.usage().processorTime ?? 0 > 0)
    try group.kill()
    #expect(try ProcessHandle.wait(for: service.pidfd) == .signaled(signal: SIGKILL, coreDumped: false))
    try group.remove(upTo: name)
    for tree in groups.trees { #expect(!Shell.run("ls \(tree)").output.contains(name)) }
  }

  /// More members than are held at once, and then some that cannot end: the group above keeps them frozen.
  @Test(.enabled(if: (try? ControlGroups.observe().legacy[.freezer]) != nil, "no freezer of version 1"))
  func killingOneByOneIsBounded() throws {
    let old = ControlGroups(unified: nil, legacy: groups.legacy)
    let above = old.group("\(name)/above")
    _ = try above.create()
    let group = old.group("\(name)/above/many")
    _ = try group.create()
    let root = try BusyboxRoot()
    let many = try launch("n=0; while [ $n -lt 300 ]; do sleep 1000 & n=$((n+1)); done; wait", in: group, root)
    while try group.processes().count < 301 { usleep(10_000) }
    try group.kill()
    #expect(try ProcessHandle.wait(for: many.pidfd) == .signaled(signal: SIGKILL, coreDumped: false))
    #expect(try group.processes().isEmpty)

    let stuck = try launch("sleep 1000", in: group, root)
    try above.freeze()
    let begin = ContinuousClock.now
    let failure = #expect(throws: KernelError.self) { try group.kill(within: .milliseconds(100)) }
    #expect(failure?.errno == .resourceBusy)
    #expect(ContinuousClock.now - begin < .seconds(2))
    try above.thaw()
    #expect(try ProcessHandle.wait(for: stuck.pidfd) == .signaled(signal: SIGKILL, coreDumped: false))
    try above.remove(upTo: name)
  }

  @Test func whatRunsOutOfMemoryIsCounted() throws {
    let group = groups.group("\(name)/oom")
    var limits = ResourceLimits()
    limits.memory = 16 << 20
    limits.memoryAndSwap = 16 << 20
    _ = try group.create(limits)
    #expect(try group.outOfMemoryKills() == 0)
    let root = try BusyboxRoot()
    let service = try launch("dd if=/dev/zero of=/dev/null bs=64M count=1; exit 3", in: group, root)
    _ = try ProcessHandle.wait(for: service.pidfd)
    #expect(try group.outOfMemoryKills() > 0)
    #expect(try group.usage().memoryLimit == 16 << 20)
    try group.remove(upTo: name)
  }
}
