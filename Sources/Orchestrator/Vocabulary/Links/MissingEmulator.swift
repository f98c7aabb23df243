import Kernel

/// The messages about a kernel without netem.
package enum MissingEmulator {
  package static let remedy =
    "boot a kernel with CONFIG_NET_SCH_NETEM (modprobe sch_netem): rate and loss do without it"

  package static func error(
    _ subject: String, _ condition: LinkCondition, at place: String, remedy: String
  ) -> StackError {
    StackError(
      subject,
      "cannot set \(condition.emulated.joined(separator: ", ")) on \(place): this kernel has no netem",
      remedy: remedy)
  }

  package static func refusal(of condition: LinkCondition, _ link: String) -> KernelError {
    KernelError(
      "set", "\(condition.emulated.joined(separator: ", ")) on \(link)", errno: .noSuchFileOrDirectory,
      detail: "this kernel has no netem", remedy: remedy)
  }
}
