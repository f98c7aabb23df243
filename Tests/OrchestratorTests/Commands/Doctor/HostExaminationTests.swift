import Glibc
import Testing
@testable import Intent
@testable import Kernel
@testable import Orchestrator

/// The whole examination on the host that the tests run on, which it leaves as it is.
@Suite struct HostExaminationTests {
  private func findings(initProgram: String?, isRoot: Bool) -> [HostFinding] {
    HostExamination(
      folders: StateFolders(run: "/tmp/no-such/run", lib: "/tmp/no-such/lib", namespaces: "/tmp/no-such/netns"),
      initProgram: initProgram, isRoot: isRoot
    ).findings()
  }

  @Test func withoutRootItSaysWhatItDidNotSee() {
    let findings = findings(initProgram: "/bin/true", isRoot: false)
    #expect(findings.first?.text.hasPrefix("not run by root") ?? false)
    #expect(findings.allSatisfy { $0.verdict != .missing })
    #expect(!findings.contains { $0.text.contains("no other firewall") || $0.text.contains("nothing is left") })
  }

  @Test func aMissingInitIsAFailure() {
    let missing = findings(initProgram: nil, isRoot: false).filter { $0.verdict == .missing }
    #expect(missing.count == 1)
    #expect(missing.first?.text.contains("stack-init") ?? false)
  }

  @Test(.enabled(if: geteuid() == 0)) func asRootTheNetworkIsTried() {
    let texts = findings(initProgram: "/bin/true", isRoot: true).map(\.text)
    for text in ["bridges can be made", "veth pairs can be made", "nftables takes a stack's table"] {
      #expect(texts.contains(text), "\(texts)")
    }
    #expect(!Files.exists("/tmp/no-such"))
    #expect(!Files.exists("/sys/class/net/trial"))
  }
}
