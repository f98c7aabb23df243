import Kernel
import Vocabulary

/// The stacks of a folder: those that a command there is about when it names none.
package struct StackScope: Hashable, Sendable {
  /// A stack, by its files.
  package struct Project: Hashable, Sendable {
    package var name: String
    /// The first of its files, as an absolute path.
    package var path: String
    /// The same as a person would type it here.
    package var shown: String

    package init(name: String, path: String, shown: String) {
      (self.name, self.path, self.shown) = (name, path, shown)
    }
  }

  /// Several where a folder has several stack files. Never empty.
  package var projects: [Project]

  package init(_ projects: [Project]) { self.projects = projects }

  package var names: [String] { projects.map(\.name) }

  /// Of a stack's project, its file: `compose.yaml`; nil for a stack of elsewhere.
  package func file(of stack: String) -> String? { projects.first { $0.name == stack }?.shown }

  /// The remedy where none of them is up.
  var remedy: String {
    projects.count == 1
      ? "bring it up: stack up; for the stack of another folder: -s NAME"
      : "bring one up: stack up \(projects[0].shown); for the stack of another folder: -s NAME"
  }

  var absence: StackError {
    if let only = projects.first, projects.count == 1 {
      return StackError(only.name, "is not up (it is the stack of \(only.shown))", remedy: remedy)
    }
    return StackError(
      nil, "none of the stacks of this folder is up: \(projects.map(\.shown).joined(separator: ", "))", remedy: remedy)
  }

  var ambiguity: StackError {
    StackError(
      nil, "more than one stack of this folder is up: say which",
      remedy: projects.prefix(5).map { "-s \($0.name) (\($0.shown))" }.joined(separator: ", "))
  }
}

extension StackIndex {
  /// A folder's stack may have its name from elsewhere: two folders of one name know nothing of each other.
  ///
  /// - Throws: that the stack of a folder came from another file, which is still there.
  package func checkOrigin(of project: StackScope.Project) throws(StackErrors) {
    guard let origin = StackOrigin.read(folders.stack(project.name))?.file, origin.hasPrefix("/"),
      Files.exists(origin), !Files.isSame(origin, project.path)
    else { return }
    throw StackErrors([
      StackError(
        project.name, "comes from \(origin), and not from \(project.shown) here",
        remedy: "if you mean it, name it: -s \(project.name); give the stack of this folder another name: -p NAME")
    ])
  }

  /// The names of the folder's stacks; nil where all are meant.
  package var scopeNames: [String]? { scope?.names }

  /// Those of a folder's stacks that are up; of all stacks where no folder is meant.
  ///
  /// - Throws: that one of them is another folder's.
  package func candidates() throws(StackErrors) -> [String] {
    let names = names()
    guard let scope else { return names }
    let projects = scope.projects.filter { names.contains($0.name) }
    for project in projects { try checkOrigin(of: project) }
    return projects.map(\.name)
  }
}
