import Intent
import Kernel

/// A look at the host, area by area. Each area asks the host for facts, and a function without effects judges them.
struct HostExamination {
  let folders: StateFolders
  let initProgram: String?
  /// True for root. Other users cannot see much, and can try nothing.
  let isRoot: Bool

  func findings() -> [HostFinding] {
    var findings: [HostFinding] = []
    if !isRoot {
      findings.append(
        HostFinding(
          .notice,
          "not run by root: making links and firewall tables was not tried, other firewalls and what stacks may have left "
            + "behind were not looked for",
          remedy: "to have all of it looked at: sudo stack doctor"))
    }
    let rights = rights()
    findings += rights + kernel() + controlGroups() + storage() + limits()
    // All of what follows would say the same in other words.
    if rights.contains(where: { $0.verdict == .missing }) { return findings }
    findings += network() + ipv6() + firewalls() + networksOfStacks() + links() + identifiers() + leftovers()
    return findings
  }

  /// The text of a small file of the kernel's, without white space at its end; nil when it is not there or not for us.
  func text(of path: String) -> String? {
    guard let bytes = try? Files.read(path, limit: 4 << 20) else { return nil }
    let end = bytes.lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? 0
    return String(decoding: bytes[..<end], as: UTF8.self)
  }

  func number(in path: String) -> Int? {
    text(of: path).flatMap { Int($0) }
  }

  /// Asks the host, and makes a finding of its refusal.
  func attempt(_ body: () throws(KernelError) -> [HostFinding]) -> [HostFinding] {
    do {
      return try body()
    } catch {
      var plain = error
      plain.remedy = nil
      return [HostFinding(.notice, "\(plain)", remedy: error.remedy)]
    }
  }
}
