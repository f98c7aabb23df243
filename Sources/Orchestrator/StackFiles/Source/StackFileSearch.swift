import Vocabulary

/// Finds the stack files that a command is about when it names none, as Compose does.
package struct StackFileSearch {
  /// The names in a folder; none where it cannot be read.
  package var list: (_ folder: String) -> [String]
  /// Absolute path of the folder to begin in.
  package var workingFolder: String
  /// The caller's environment, and `.env` in that folder.
  package var variables: Variables
  package var trust: FileTrust

  package init(
    list: @escaping (_ folder: String) -> [String], workingFolder: String, variables: Variables, trust: FileTrust
  ) {
    self.list = list
    self.workingFolder = workingFolder
    self.variables = variables
    self.trust = trust
  }

  package struct Found: Hashable {
    /// The files, as they are reached from the working folder. Each is merged over those before it.
    package var paths: [String]
    /// True if they are those of a folder above.
    package var isAbove = false

    package init(paths: [String], isAbove: Bool = false) {
      self.paths = paths
      self.isAbove = isAbove
    }
  }

  private static let composeFiles = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"]
  private static let overrides = [
    "compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml",
  ]

  /// The files of COMPOSE_FILE; else those of the working folder, or what Compose would take of the nearest folder above it that
  /// has any.
  ///
  /// - Throws: that there is none, or one that others may have written (``FileTrust``).
  package func find() throws(StackErrors) -> Found {
    let all = try findAll()
    guard let only = all.first else {
      throw StackErrors([
        StackError(
          nil, "there is no stack file in \(workingFolder), nor a compose.yaml in a folder above it",
          remedy: "name one: stack up FILE")
      ])
    }
    guard all.count == 1 else {
      throw StackErrors([
        StackError(
          nil, "there is more than one stack file in \(workingFolder)",
          remedy: "name one: \(all.flatMap(\.paths).joined(separator: ", "))")
      ])
    }
    return only
  }

  /// The files of each stack that this folder is about: several where it has several stack files; none where there is no file.
  ///
  /// - Throws: that others may have written one of them (``FileTrust``).
  package func findAll() throws(StackErrors) -> [Found] {
    let listed = variables.list("COMPOSE_FILE", separator: ":")
    if variables.environment["COMPOSE_FILE"] == nil { try checkSurroundings(of: workingFolder, "") }
    guard listed.isEmpty else { return [Found(paths: listed)] }
    var (folder, way) = (workingFolder, "")
    while true {
      let found = files(in: folder, way)
      guard found.isEmpty else {
        for name in found.joined() { try check(Path.resolve(name, in: folder), way + name) }
        try checkSurroundings(of: folder, way)
        return found.map { names in Found(paths: names.map { way + $0 }, isAbove: !way.isEmpty) }
      }
      guard folder != "/" else { return [] }
      folder = Path.split(folder).folder
      way += "../"
    }
  }

  private func check(_ location: String, _ path: String) throws(StackErrors) {
    guard let objection = trust.objection(to: location) else { return }
    throw StackErrors([
      StackError(
        nil, "\(objection), so it is not taken without being named",
        remedy: "if you trust it, name it: stack up -f \(path)")
    ])
  }

  /// `.env` says which files are taken, and what stands in them.
  private func checkSurroundings(of folder: String, _ way: String) throws(StackErrors) {
    guard let objection = trust.objection(to: Path.resolve(".env", in: folder)) else { return }
    throw StackErrors([
      StackError(
        nil, "\(objection), so no file is taken with it without being named",
        remedy: "if you trust it, name the stack file: stack up -f \(way)FILE")
    ])
  }

  /// The stack files in a folder, each a stack of its own, or what Compose would take.
  private func files(in folder: String, _ way: String) -> [[String]] {
    let names = list(folder)
    // `~/.stack` is a folder of Haskell's builder. Of folders above, only what Compose's users expect is taken.
    let stacks = way.isEmpty ? names.filter { $0.hasSuffix(".stack") && !$0.hasPrefix(".") } : []
    if !stacks.isEmpty { return stacks.map { [$0] } }
    guard let compose = Self.composeFiles.first(where: names.contains) else { return [] }
    return [[compose] + Self.overrides.filter(names.contains).prefix(1)]
  }
}
