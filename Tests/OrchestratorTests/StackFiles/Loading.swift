@testable import StackFiles

/// Reads a stack from text, as `/lab/web.stack`, with HOME=/home/ada.
func load(
  _ text: String, others: [String: String] = [:], environment: [String: String] = [:], paths: [String] = ["web.stack"]
) -> StackFileLoader.Outcome {
  var files = others
  files["/lab/web.stack"] = text
  let environment = environment.merging(["HOME": "/home/ada"]) { given, _ in given }
  return StackFileLoader(files: FilesInMemory(files), environment: environment, workingFolder: "/lab").load(paths)
}

/// The diagnostics of a stack as they are printed.
func diagnose(
  _ text: String, others: [String: String] = [:], environment: [String: String] = [:], paths: [String] = ["web.stack"]
) -> String {
  DiagnosticRenderer().render(load(text, others: others, environment: environment, paths: paths).diagnostics)
}

/// The services of a stack that has no errors; else none.
func services(_ text: String, environment: [String: String] = [:]) -> [StackFile.Service] {
  load(text, environment: environment).stack.map { Array($0.services) } ?? []
}
