import Foundation
import JSON
import Testing
@testable import Host
@testable import Intent
@testable import Kernel
@testable import Planning
@testable import Resolve
@testable import StackFiles

/// Records that commit 6818df1 wrote while it had stacks up: later versions read them, and `up` with the same file
/// changes no service.
@Suite struct FormerRecordTests {
  private static let fixtures = sourceFolder(#filePath, up: 3) + "/Fixtures/records-6818df1"
  /// The stack files as they were then.
  private static let stacks = sourceFolder(#filePath, up: 3) + "/Fixtures/stacks-6818df1"
  private static let names = Files.list(fixtures)

  /// A record, with the folder of the stack files where it is in this checkout.
  private func read<Record: Decodable>(_ type: Record.Type, _ path: String) throws -> Record {
    let text = try String(contentsOfFile: "\(Self.fixtures)/\(path)", encoding: .utf8)
    let placed = text.replacing("/srv/stacks", with: Self.stacks)
    return try JSONReader.decode(type, from: Array(placed.utf8))
  }

  @Test func eachStackOfThatCommitIsThere() {
    #expect(
      Self.names == [
        "allow-list", "broken-route", "depends", "dmz", "nginx", "ring", "slow-link", "tiers", "vlan-trunk", "web",
      ])
  }

  @Test(arguments: names) func recordsOfServicesAreRead(name: String) throws {
    for service in Files.list("\(Self.fixtures)/\(name)/services") {
      let record = try read(ServiceRecord.self, "\(name)/services/\(service)/record.json")
      #expect(record.service == service)
      // One service of depends.stack does its work and ends.
      #expect(record.phase == (service == "prepare" ? .exited : .running))
      #expect((record.process != nil) == (record.phase == .running))
      let context = try read(ProcessContext.self, "\(name)/services/\(service)/exec.json")
      #expect(context.entrance != nil && !context.environment.isEmpty)
    }
  }

  @Test(arguments: names) func upTouchesNoServiceThatRuns(name: String) throws {
    let recorded = try read(DesiredStack.self, "\(name)/stack.json")
    #expect(recorded.name == name && !recorded.guardsPorts)
    let isLesson = Files.exists("\(Self.stacks)/labs/\(name).stack")
    let file = isLesson ? "labs/\(name).stack" : "\(name).stack"
    let loader = StackFileLoader(files: HostFiles(), environment: ["HOME": "/root"], workingFolder: Self.stacks)
    let loaded = loader.load([file])
    let stack = try #require(loaded.stack, "\(DiagnosticRenderer().render(loaded.diagnostics))")
    var facts = HostFacts.using()
    facts.tellsVLANsApart = recorded.networks.allSatisfy { $0.vlans.allSatisfy { $0.bridge == nil } }
    let desired = try Resolver.resolve(
      stack, services: stack.activeServices().services, facts: facts, previous: recorded,
      folder: StateFolders().stack(name))
    #expect(desired.linkGroup == recorded.linkGroup)
    let running = Dictionary(uniqueKeysWithValues: recorded.services.map { ($0.name, ServicePhase.running) })
    let plan = Planner.up(desired, recorded: recorded, observed: running)
    #expect(plan.reasons.isEmpty, "\(plan.reasons)")
    for step in plan.steps {
      switch step {
      case .start, .stop, .createNamespace, .attach, .detach, .unpinNamespaces, .removeLayer, .removeKeptVolumes,
        .createBridge,
        .removeBridge, .connect, .disconnect:
        Issue.record("\(step)")
      default: break
      }
    }
    let guarded = plan.steps.contains { if case .guardPorts = $0 { true } else { false } }
    #expect(guarded, "its ports were not held to their own addresses")
  }
}
