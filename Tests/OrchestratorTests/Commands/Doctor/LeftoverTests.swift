import Testing
@testable import Host
@testable import Intent
@testable import Netfilter
@testable import Orchestrator
@testable import Rules

/// The owners of links and tables by their names, and the findings about leftovers.
@Suite struct LeftoverTests {
  @Test func aliasesNameTheirStack() {
    #expect(LinkName.owner(ofAlias: LinkName.alias(stack: "web", "web1", "front")) == "web")
    #expect(LinkName.owner(ofAlias: LinkName.alias(stack: "web", "", "front")) == "web")
    for foreign in ["", "stack:", "stack:web", "web/web1", "my stack:web/x"] {
      #expect(LinkName.owner(ofAlias: foreign) == nil, "\(foreign)")
    }
  }

  @Test func tablesNameTheirStackTwice() {
    func owner(_ family: NftFamily, _ name: String, _ comment: String?) -> String? {
      Firewall.owner(of: NftTableName(family, name), comment: comment)
    }
    #expect(owner(.inet, "stack-web", "stack:web") == "web")
    #expect(owner(.inet, "stack-web", nil) == nil)
    #expect(owner(.inet, "stack-web", "stack:db") == nil)
    #expect(owner(.ip, "stack-web", "stack:web") == nil)
  }

  @Test func aGroupIsDeletedOnlyWhenAllOfItIsTheStacks() {
    let own: [UInt32] = [7, 7, 0, 9]
    #expect(Salvage.ownGroup(of: own, among: own) == 7)
    #expect(Salvage.ownGroup(of: own, among: own + [7]) == 9)
    #expect(Salvage.ownGroup(of: own, among: own + [7, 9]) == nil)
    #expect(Salvage.ownGroup(of: [0], among: [0]) == nil)
  }

  @Test func aStackThatLostItsStateIsNamedWithItsRemedy() throws {
    let traces = StackTraces(found: [.link("web1-abc"), .table("inet stack-web"), .namespace("web.web1")])
    let finding = try #require(HostExamination.judge(HostExamination.StackState(name: "web", traces: traces)))
    #expect(finding.verdict == .notice)
    #expect(finding.text.contains("link web1-abc, nftables table inet stack-web, network namespace web.web1"))
    #expect(finding.remedy == "remove it: stack down web")
  }

  @Test func aPinnedNamespaceAloneMayBeAnybodys() throws {
    let state = HostExamination.StackState(name: "my", traces: StackTraces(found: [.namespace("my.ns")]))
    let finding = try #require(HostExamination.judge(state))
    #expect(finding.remedy == "if nobody needs it: ip netns delete my.ns")
    #expect(!finding.text.contains("lost"))
  }

  @Test func aStackThatIsUpIsNoLeftover() {
    var state = HostExamination.StackState(
      name: "web", traces: StackTraces(found: [.folder, .logs, .link("web1-abc")]))
    state.isSupervised = true
    #expect(HostExamination.judge(state) == nil)
    state.isSupervised = false
    #expect(HostExamination.judge(state)?.remedy?.contains("stack doctor --fix") ?? false)
    state.isOfFormerBoot = true
    #expect(HostExamination.judge(state)?.remedy?.contains("stack down web") ?? false)
  }
}
