import Glibc
import TestSupport
import Testing
@testable import Intent
@testable import Planning

/// Each kind of step: what is printed for it, whose it is, what is waited for, and what undoes it.
@Suite struct StepTests {
  /// `createBridge`: the case's name.
  private static func kind(_ step: Step) -> String {
    // The only case without a payload.
    Mirror(reflecting: step).children.first?.label ?? "restoreHost"
  }

  @Test func everyKindIsHere() throws {
    let kinds = Set(try EveryStep.all(of: EveryStep.stack()).map { $0.short.split(separator: " ")[0] })
    // A kind that is added is added to ``Step/short`` first, which knows all of them, and then to ``EveryStep``.
    let names = Set(try EveryStep.all(of: EveryStep.stack()).map(Self.kind))
    #expect(names.count == 43, "\(names.sorted()) \(kinds.sorted())")
  }

  @Test func commands() throws {
    let stack = try EveryStep.stack()
    let steps = try EveryStep.all(of: stack)
    let blocks = steps.map { step in
      (["# \(step.description)"] + step.commands(folders: StateFolders(), hostResolver: "")).map { "\($0)\n" }.joined()
    }
    // A service with the host's UTS namespace has its name.
    let text = blocks.joined(separator: "\n").replacing("HOSTNAME=\(try hostName()) ", with: "HOSTNAME=vm ")
    try Golden.expect(text, "steps.plan")
    let folder = try TemporaryFolder()
    try folder.write("steps.sh", text)
    #expect(shell("bash -n \(folder.path)/steps.sh").output == "")
  }

  private func hostName() throws -> String {
    var name = [CChar](repeating: 0, count: Int(HOST_NAME_MAX) + 1)
    try #require(gethostname(&name, name.count) == 0)
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  @Test func groupsThatFormerVersionsChoseAreNoWordsForIp() throws {
    var stack = try EveryStep.stack()
    #expect(stack.linkGroup <= DesiredStack.highestLinkGroup)
    #expect(
      try EveryStep.all(of: stack).contains { $0.commands(folders: StateFolders()).contains { $0.contains(" group ") } }
    )
    stack.linkGroup = 0x8000_0000
    let commands = try EveryStep.all(of: stack).flatMap { $0.commands(folders: StateFolders(), hostResolver: "") }
    #expect(commands.filter { $0.contains("group 2147483648") && !$0.hasPrefix("#") }.isEmpty)
  }

  // MARK: What undoes it

  /// The scope of undoing that a step adds once it was begun. Nil for steps that add nothing.
  private static func expected(of kind: String, _ stack: DesiredStack) throws -> UndoScope? {
    var scope = UndoScope()
    let link = try #require(stack.links.first)
    switch kind {
    case "unsettle", "acceptClaim", "recordIntent": scope.isUnsettled = true
    case "createBridge": scope.madeBridges = [try #require(stack.network(named: "front"))]
    case "removeBridge": scope.lostBridges = [try #require(stack.network(named: "front"))]
    case "createSegment": scope.madeSegments = stack.segments
    case "removeSegment": scope.lostSegments = Set(stack.segments)
    case "createNamespace", "attach", "detach", "removeLayer": scope.remade = ["a"]
    case "unpinNamespaces": scope.remade = ["a", "b"]
    case "start": scope.started = ["a"]
    case "stop": scope.stopped = ["a"]
    case "shape": scope.reshaped = ["a"]
    case "connect": scope.madeLinks = [link]
    case "disconnect": scope.lostLinks = [link]
    case "shapeLink": scope.reshapedLinks = [link.unshaped]
    case "setRoutes": scope.rerouted = ["a"]
    case "addAddresses", "removeAddresses": scope.readdressed = ["a"]
    default: return nil
    }
    return scope
  }

  private static let harmless: Set<String> = [
    "removeKeptVolumes", "makeFolders", "writeFirewall", "partition", "filterBridges", "endFlows", "mountLayers",
    "makeHostRoot",
    "prepareHost", "raiseBridge", "readdress", "awaitReady", "pause", "unpause", "removeLinks", "removeFirewall",
    "forgetConnections",
    "removeControlGroups", "restoreHost", "unmountLayers", "removeVolumes", "removeFolders",
  ]

  @Test func whatUndoesEachKind() throws {
    let stack = try EveryStep.stack()
    var seen: Set<String> = []
    for step in try EveryStep.all(of: stack) where seen.insert(Self.kind(step)).inserted {
      let kind = Self.kind(step)
      var scope = UndoScope()
      scope.add(step)
      // The first of its kind is about service a, network front and the first link.
      let expected = try Self.expected(of: kind, stack)
      #expect(scope == expected ?? UndoScope(), "\(kind)")
      #expect((expected == nil) == Self.harmless.contains(kind), "\(kind) stands in both tables or in none")
    }
  }

  /// The undoing of each step, for a stack that did not exist before and for one that is unchanged.
  @Test func undoing() throws {
    let stack = try EveryStep.stack()
    let empty = DesiredStack.empty(named: stack.name)
    var undone: [String: (new: [String], old: [String])] = [:]
    for step in try EveryStep.all(of: stack) where undone[Self.kind(step)] == nil {
      undone[Self.kind(step)] = (
        Planner.undo([step], of: stack, to: empty).short, Planner.undo([step], of: stack, to: stack).short
      )
    }
    #expect(undone["createBridge"]?.new == ["no bridge front"] && undone["createBridge"]?.old == [])
    #expect(undone["createSegment"]?.new == ["no segment front 1"])
    #expect(undone["connect"]?.new == ["no link a and b"] && undone["connect"]?.old == [])
    #expect(undone["disconnect"]?.new == [] && undone["disconnect"]?.old == ["link a and b", "routes a"])
    #expect(undone["createNamespace"]?.new == ["stop a", "detach a", "unpin a", "layer a"])
    #expect(
      undone["removeLayer"]?.old
        == [
          "stop a", "detach a", "unpin a", "layer a", "namespace a", "link a and b", "attach a", "routes a",
          "start a",
        ])
    #expect(undone["stop"]?.old == ["start a"] && undone["start"]?.old == ["stop a"])
    #expect(undone["shape"]?.old == ["shape a"] && undone["shapeLink"]?.old == ["shape link a and b"])
    #expect(undone["setRoutes"]?.old == ["routes a"])
    #expect(undone["unsettle"]?.old.prefix(3) == ["record", "folders", "firewall"])
    for kind in Self.harmless { #expect(undone[kind]?.new == [] && undone[kind]?.old == [], "\(kind)") }
  }

  // MARK: Whose it is

  @Test func whoseItIs() throws {
    let stack = try EveryStep.stack()
    let ofServices: Set<String> = [
      "createNamespace", "attach", "shape", "setRoutes", "readdress", "addAddresses", "removeAddresses", "start",
      "awaitReady", "pause", "unpause", "stop", "detach", "removeLayer",
      "removeKeptVolumes",
    ]
    var seen: Set<String> = []
    for step in try EveryStep.all(of: stack) where seen.insert(Self.kind(step)).inserted {
      #expect(step.service == (ofServices.contains(Self.kind(step)) ? "a" : nil), "\(Self.kind(step))")
      switch Self.kind(step) {
      case "awaitReady": #expect(step.wait == stack.service(named: "a").map { .readiness($0) })
      case "stop": #expect(step.wait == stack.service(named: "a").map { .end($0) })
      default: #expect(step.wait == nil, "\(step)")
      }
    }
  }
}
