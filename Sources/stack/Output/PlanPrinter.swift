import Intent
import Planning

/// Shows a plan: what would be done, and the commands by which a person would do it.
struct PlanPrinter {
  let folders: StateFolders

  func show(_ plan: Plan) {
    guard !plan.isEmpty else { return print("nothing to do") }
    for reason in plan.reasons { print("\(reason.service): \(reason.text)") }
    for step in plan.steps {
      print("# \(step)")
      for command in step.commands(folders: folders) { print(command) }
    }
  }
}
