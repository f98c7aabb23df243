import Intent
import Planning
import Script

/// Shows a plan as a script: what would be done, and the commands by which a person would do it.
struct PlanPrinter {
  let folders: StateFolders

  func show(_ plan: Plan) {
    guard !plan.isEmpty else { return print("# nothing to do") }
    print(PlanScript(plan, folders: folders).text, terminator: "")
  }
}
