import Host
import Kernel
import StackFiles
import Vocabulary

extension CommandContext {
  /// The same, about the stacks that a command's options and folder mean.
  ///
  /// - Parameters:
  ///   - paths: the files that are named; when empty, those that are found.
  ///   - name: the stack's name, where the caller gives it.
  /// - Throws: that a file which was found is not to be trusted, or has no name that can be read.
  package func scoped(to paths: [String], name: String?) throws(StackErrors) -> CommandContext {
    var context = self
    let loader = loader
    let found = paths.isEmpty ? try search(loader).findAll() : [StackFileSearch.Found(paths: paths)]
    var projects: [StackScope.Project] = []
    for files in found {
      guard let shown = files.paths.first else { continue }
      if shown != "-", !Files.exists(loader.location(of: shown)) {
        throw StackErrors(mistake: "there is no file \(shown)")
      }
      let variables = loader.variables(beside: files.paths)
      let given = name ?? variables["COMPOSE_PROJECT_NAME"].flatMap { $0.isEmpty ? nil : $0 }
      guard let name = given ?? loader.name(of: files.paths, variables) else {
        // One file of several that cannot be read is none of those that are up.
        if found.count > 1 { continue }
        throw StackErrors([
          StackError(
            nil, "cannot tell which stack is meant: \(shown) does not say its name",
            remedy: "see what is wrong: stack config -q \(shown); or name the stack: -s NAME")
        ])
      }
      projects.append(StackScope.Project(name: name, path: loader.location(of: shown), shown: shown))
    }
    context.scope = projects.isEmpty ? nil : StackScope(projects)
    return context
  }

  /// Checks options that say which stack is meant, for commands that read no file too.
  ///
  /// - Parameter name: of the stack, as an option gives it.
  package func check(_ environmentFiles: [String], _ folder: String?, name: String?) throws(StackErrors) {
    func place(_ path: String) -> String { path.hasPrefix("/") ? path : "\(workingFolder)/\(path)" }
    for path in environmentFiles where !Files.exists(place(path)) {
      throw StackErrors(mistake: "--env-file \(path): there is no such file")
    }
    if let folder, !Files.exists(place(folder)) {
      throw StackErrors(mistake: "--project-directory \(folder): there is no such folder")
    }
    if let name, !StackFile.isPossibleName(name) {
      throw StackErrors(
        mistake: "no stack is named \(name)",
        remedy: "names have letters, digits, - and _, and begin with a letter or a digit")
    }
  }

  /// The stacks that a list is about: those of the folder, or all where there is no file.
  package func listedStacks() throws(StackErrors) -> [String] { try index.candidates() }
}
