import Testing
@testable import Isolation
@testable import Runtime

/// The privileges of a container's processes, as /proc/PID/status shows them (proc_pid_status(5)).
@Suite(.serialized, .enabled(if: isRoot(), "containers take root"))
struct ConfinementTests {
  let root: BusyboxRoot

  init() throws { root = try BusyboxRoot() }

  func status(_ change: (inout ContainerSpec) -> Void = { _ in }) throws -> [String: String] {
    var spec = ContainerSpec(
      hostname: "web1", root: root.overlay, process: ContainerProcess(["cat", "/proc/self/status"]))
    change(&spec)
    let lines = try output(of: spec, in: root).text.split(separator: "\n")
    return Dictionary(
      lines.compactMap { line in
        let parts = line.split(separator: ":", maxSplits: 1)
        return parts.count == 2 ? (String(parts[0]), String(parts[1].filter { $0 != "\t" && $0 != " " })) : nil
      }, uniquingKeysWith: { $1 })
  }

  @Test(arguments: [true, false])
  func rootHasTheStandardSet(usesInit: Bool) throws {
    let status = try status { $0.usesInit = usesInit }
    for set in ["CapEff", "CapPrm", "CapBnd"] { #expect(status[set] == "00000000800425fb") }
    for set in ["CapInh", "CapAmb"] { #expect(status[set] == "0000000000000000") }
    #expect(status["NoNewPrivs"] == "1")
  }

  @Test func otherUsersHaveWhatIsAdded() throws {
    let plain = try status { $0.process.user = "33" }
    for set in ["CapEff", "CapPrm", "CapInh", "CapAmb"] { #expect(plain[set] == "0000000000000000") }
    #expect(plain["CapBnd"] == "00000000800425fb")
    let server = try status {
      $0.process.user = "33"
      $0.process.confinement.ambient = CapabilitySet([.netBindService])
    }
    for set in ["CapEff", "CapPrm", "CapInh", "CapAmb"] { #expect(server[set] == "0000000000000400") }
  }

  @Test func nothingIsLeftWhenAllIsDropped() throws {
    let status = try status { $0.process.confinement.capabilities = [] }
    for set in ["CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"] { #expect(status[set] == "0000000000000000") }
  }

  @Test func unconfinedIsAsTheCaller() throws {
    let status = try status { $0.process.confinement = .none }
    #expect(status["CapBnd"] == Shell.run("sed -n 's/CapBnd:\t//p' /proc/self/status").output.filter { $0 != "\n" })
    #expect(status["NoNewPrivs"] == "0")
  }

  /// A filter is there with and without no_new_privs, which it takes at another moment.
  @Test(arguments: [true, false])
  func aFilterHoldsWhateverProgramsMayGain(noNewPrivileges: Bool) throws {
    for filter in [nil, try SeccompFilter(for: .standard)] {
      let status = try status {
        ($0.process.confinement.noNewPrivileges, $0.process.confinement.filter) = (noNewPrivileges, filter)
      }
      #expect(status["NoNewPrivs"] == (noNewPrivileges ? "1" : "0"))
      #expect(status["Seccomp"] == (filter == nil ? "0" : "2"))
    }
  }

  @Test func kernelPathsAreOpenToThePrivilegedAlone() throws {
    let script = "echo > /proc/sys/kernel/domainname && echo written; ls /proc/kcore >/dev/null; cat /proc/keys | wc -c"
    var spec = ContainerSpec(hostname: "web1", root: root.overlay, process: ContainerProcess(["sh", "-c", script]))
    #expect(try output(of: spec, in: root).text.contains("Read-only file system"))
    spec.process.confinement = .none
    #expect(try output(of: spec, in: root).text.hasPrefix("written\n"))
  }

  @Test func namesAreThoseOfTheManual() {
    #expect(Capability.allCases.count == 41)
    #expect(Capability.checkpointRestore.name == "CHECKPOINT_RESTORE" && Capability.checkpointRestore.rawValue == 40)
    for capability in Capability.allCases { #expect(Capability(name: "cap_\(capability.name)") == capability) }
    #expect(Capability(name: "NET") == nil)
  }
}
