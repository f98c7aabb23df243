import Vocabulary

/// Finds the stack files that a command is about when it names none, as Compose does.
package struct StackFileSearch {
  /// The names in a folder; none where it cannot be read.
  package var list: (_ folder: String) -> [String]
  /// Absolute path of the folder to begin in.
  package var workingFolder: String
  /// The caller's environment, and `.env` in that folder.
  package var variables: Variables

  package init(list: @escaping (_ folder: String) -> [String], workingFolder: String, variables: Variables) {
    self.list = list
    self.workingFolder = workingFolder
    self.variables = variables
  }

  private static let composeFiles = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"]
  private static let overrides = [
    "compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml",
  ]

  /// The files of COMPOSE_FILE; else those of the working folder, or of the nearest folder above it that has any. As they
  /// are reached from the working folder, each to be merged over those before it.
  package func paths() throws(StackErrors) -> [String] {
    let listed = variables.list("COMPOSE_FILE", separator: ":")
    guard listed.isEmpty else { return listed }
    var (folder, way) = (workingFolder, "")
    while true {
      let found = try files(in: folder, way)
      guard found.isEmpty else { return found.map { way + $0 } }
      guard folder != "/" else { break }
      folder = Path.split(folder).folder
      way += "../"
    }
    throw StackErrors([
      StackError(
        nil, "there is no stack file in \(workingFolder), nor in a folder above it", remedy: "name one: stack up FILE")
    ])
  }

  /// The one stack file in a folder, or what Compose would take.
  private func files(in folder: String, _ way: String) throws(StackErrors) -> [String] {
    let names = list(folder)
    // `~/.stack` is a folder of Haskell's builder.
    let stacks = names.filter { $0.hasSuffix(".stack") && !$0.hasPrefix(".") }
    if stacks.count > 1 {
      throw StackErrors([
        StackError(
          nil, "there is more than one stack file in \(folder)",
          remedy: "name one: \(stacks.map { way + $0 }.joined(separator: ", "))")
      ])
    }
    if let only = stacks.first { return [only] }
    guard let compose = Self.composeFiles.first(where: names.contains) else { return [] }
    return [compose] + Self.overrides.filter(names.contains).prefix(1)
  }
}
