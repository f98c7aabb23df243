import StackFiles
import Vocabulary

extension Resolver {
  /// The conditions of a link as the file has them, and an error where this kernel cannot bring them about.
  mutating func conditions(of wanted: StackFile.Attachment, _ instance: String) -> LinkConditions? {
    let conditions = wanted.conditions.conditions
    guard !conditions.isClear else { return nil }
    if !facts.emulatesNetworks {
      for direction in LinkDirection.allCases where conditions[direction].needsEmulator {
        let place = wanted.conditions[direction].emulatedPlace ?? wanted.network.span
        errors.append(
          MissingEmulator.error(
            "\(stackName)/\(instance)", conditions[direction], at: "network \(wanted.network.value)",
            remedy: "leave it out in \(place.place), or \(MissingEmulator.remedy)"))
        break
      }
    }
    return conditions
  }
}

extension Resolver {
  /// The condition of one way over a link between two services.
  mutating func condition(of declared: StackFile.DeclaredCondition, _ link: StackFile.Link) -> LinkCondition? {
    let condition = declared.condition
    guard !condition.isClear else { return nil }
    if condition.needsEmulator, !facts.emulatesNetworks {
      let names = link.ends.map(\.service.value).joined(separator: " and ")
      let place = declared.emulatedPlace ?? link.span
      let error = MissingEmulator.error(
        stackName, condition, at: "the link of \(names)",
        remedy: "leave it out in \(place.place), or \(MissingEmulator.remedy)")
      // The two ways of a link mostly say the same.
      if !errors.contains(error) { errors.append(error) }
    }
    return condition
  }
}
