import Host
import Intent
import Kernel
import Runtime
import Vocabulary

extension HostExamination {
  /// The state of one stack, as far as doctor needs it.
  struct StackState: Hashable {
    var name: String
    var folder: StackFolder { StateFolders().stack(name) }
    var traces: StackTraces
    /// True if its supervisor runs.
    var isSupervised = false
    /// The supervisor's answer to doctor, if it was asked.
    var answer: SupervisorPulse.Answer?
    /// Its process.
    var supervisor: SupervisorProcess?
    /// True if it was brought up before the host was last started.
    var isOfFormerBoot = false
  }

  func leftovers() -> [HostFinding] {
    guard isRoot else { return [] }
    return attempt { () throws(KernelError) in
      let boot = try Boot.current()
      let builds = BuildPlaces.leftovers(folders, ObservedControlGroups())
      var states: [StackState] = []
      for (name, traces) in try StackTraces.all(folders).sorted(by: { $0.key < $1.key })
      where !name.hasPrefix(BuildPlaces.prefix) {
        let path = folders.stack(name).supervisor
        let supervisor = try? StateFile<ProcessIdentity>(path: path).read()
        let isRunning = try supervisor?.presence() == .running
        var state = StackState(
          name: name, traces: traces, isSupervised: isRunning,
          isOfFormerBoot: supervisor.map { $0.bootID != boot } ?? false)
        if isRunning, let supervisor {
          state.supervisor = SupervisorProcess(stack: name, identity: supervisor)
          state.answer = try? SupervisorPulse(folder: folders.stack(name), patience: Self.patience).take()
        }
        states.append(state)
      }
      var findings = states.compactMap(Self.judge) + builds.map(Self.judge(build:))
      for state in states where state.traces.hasFolder && !state.isOfFormerBoot {
        for damage in try StackIndex(folders: folders).damages(of: state.name) {
          findings.append(
            HostFinding(
              .missing, "stack \(state.name): \(damage)",
              remedy: "have its supervisor write it again: stack ps \(state.name)"))
        }
      }
      return findings.isEmpty ? [HostFinding(.good, "nothing is left of stacks that are gone")] : findings
    }
  }

  /// Shorter than a command's: nothing depends on the answer.
  private static let patience = Duration.seconds(3)

  /// nil when all is well with it.
  static func judge(_ state: StackState) -> HostFinding? {
    let name = state.name
    let rest = state.traces.found.sorted().compactMap(\.description)
    let list = rest.prefix(6).joined(separator: ", ") + (rest.count > 6 ? " and \(rest.count - 6) more" : "")
    if !state.traces.hasProof {
      let pins = state.traces.found.sorted().compactMap { trace in
        if case .namespace(let pin) = trace { "ip netns delete \(pin)" } else { nil }
      }
      return HostFinding(
        .notice, "\(list) looks like a stack's, but there is no stack \(name): it may be anybody's",
        remedy: "if nobody needs it: \(pins.joined(separator: "; "))")
    }
    guard state.traces.hasFolder else {
      return HostFinding(
        .notice, "stack \(name) has lost its state and left behind: \(list)", remedy: "remove it: stack down \(name)")
    }
    if state.isOfFormerBoot {
      return HostFinding(
        .notice, "stack \(name) was up before the host was last started; its state is still there",
        remedy: "bring it up again with its file, or remove it: stack down \(name)")
    }
    guard state.isSupervised else {
      return HostFinding(
        .notice, "stack \(name) has no supervisor: what runs goes on, but nothing is restarted and no log is written",
        remedy: "have one take it over: stack doctor --fix; or take it down: stack down \(name)")
    }
    return judgeAnswer(of: state)
  }

  private static func judge(build name: String) -> HostFinding {
    HostFinding(
      .notice, "a build was killed and left the stack \(name) that its steps ran in",
      remedy: "the next build or up takes it down; or at once: stack build prune")
  }

  private static func judgeAnswer(of state: StackState) -> HostFinding? {
    let name = state.name
    let pid = state.supervisor.map { " (pid \($0.identity.pid))" } ?? ""
    switch state.answer {
    case .build(let build) where build != ProgramBuild.current:
      return HostFinding(
        .notice, "the supervisor of stack \(name)\(pid) is of another build of stack than this command",
        remedy: "have one of this build take the stack over, which touches no service: stack up FILE")
    case .silence:
      let why = state.supervisor?.standstill.map { ": it \($0.words)" } ?? ""
      return HostFinding(
        .missing, "the supervisor of stack \(name)\(pid) does not answer\(why)",
        remedy: SupervisorPulse.remedy(state.supervisor, state.folder))
    case .build, .some(.none), nil: return nil
    }
  }
}

extension StackTraces.Trace {
  /// nil for what is no sign of something left behind.
  var description: String? {
    switch self {
    case .folder: nil
    case .supervisor(let pid): "its supervisor (pid \(pid))"
    case .link(let name): "link \(name)"
    case .table(let name): "nftables table \(name)"
    case .namespace(let name): "network namespace \(name)"
    case .controlGroup(let path): "cgroup \(path)"
    case .mount(let path): "a mount on \(path)"
    case .setting: "changed settings of the host"
    case .logs: "logs"
    }
  }
}
