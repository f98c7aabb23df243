import Kernel

extension Resolver {
  /// The conditions of a link as the file has them, and an error where this kernel cannot bring them about.
  mutating func conditions(of wanted: StackFile.Attachment, _ instance: String) -> LinkConditions? {
    let conditions = wanted.conditions.conditions
    guard !conditions.isClear else { return nil }
    if !facts.emulatesNetworks {
      for direction in LinkDirection.allCases where conditions[direction].needsEmulator {
        let place = wanted.conditions[direction].emulatedPlace ?? wanted.network.span
        errors.append(
          EmulatorTrial.error(
            "\(stackName)/\(instance)", conditions[direction], network: wanted.network.value,
            remedy: "leave it out in \(place.place), or \(EmulatorTrial.remedy)"))
        break
      }
    }
    return conditions
  }
}

extension EmulatorTrial {
  static let remedy = "boot a kernel with CONFIG_NET_SCH_NETEM (modprobe sch_netem): rate and loss do without it"

  static func error(
    _ subject: String, _ condition: LinkCondition, network: String, remedy: String
  ) -> StackError {
    StackError(
      subject,
      "cannot set \(condition.emulated.joined(separator: ", ")) on network \(network): this kernel has no netem",
      remedy: remedy)
  }

  static func refusal(of condition: LinkCondition, _ link: String) -> KernelError {
    KernelError(
      "set", "\(condition.emulated.joined(separator: ", ")) on \(link)", errno: .noSuchFileOrDirectory,
      detail: "this kernel has no netem", remedy: remedy)
  }
}
