import Addresses
@testable import Export
@testable import Intent
@testable import Kernel
@testable import Orchestrator
@testable import Resolve
@testable import StackFiles
@testable import Vocabulary

/// A stack file as `stack export` reads it.
struct ExportSource {
  static let examples = sourceFolder(#filePath, up: 4) + "/stacks"
  /// Each file in stacks/ and stacks/labs/.
  static let exampleFiles = ["", "labs/"].flatMap { part in
    Files.list("\(examples)/\(part)").filter { $0.hasSuffix(".stack") }.map { part + $0 }
  }

  let input: ExportInput

  /// - Throws: ``StackErrors`` when the file has errors.
  init(_ text: String, contents: [String: BoundContent] = [:], users: [String: NumberedUser] = [:]) throws {
    try self.init(load(text), contents, users)
  }

  init(example file: String) throws {
    let loader = StackFileLoader(files: HostFiles(), environment: ["HOME": "/root"], workingFolder: Self.examples)
    let outcome = loader.load([file])
    var contents: [String: BoundContent] = [:]
    for mount in outcome.stack?.services.flatMap(\.mounts) ?? [] where mount.isReadOnly {
      if case .bind(let path, _) = mount.source { contents[path] = BoundContentReader.read(path) }
    }
    try self.init(outcome, contents, [:])
  }

  private init(
    _ outcome: StackFileLoader.Outcome, _ contents: [String: BoundContent], _ users: [String: NumberedUser]
  ) throws {
    guard let file = outcome.stack else {
      throw StackErrors([StackError(nil, DiagnosticRenderer().render(outcome.diagnostics))])
    }
    let services = file.activeServices().services
    let stack = try Resolver.resolve(
      file, services: services, facts: .using(), previous: nil, folder: StateFolders().stack(file.name.value))
    input = ExportInput(
      file: file, services: services, stack: stack, keys: outcome.keys, contents: contents, users: users)
  }

  func kubernetes(inner: [String] = ["10.244.0.0/16", "fd00:244::/64"], verifying: Bool = false) -> KubernetesExport {
    var options = ExportOptions()
    options.innerRanges = inner.compactMap(IPPrefix.init)
    options.isVerifying = verifying
    return KubernetesExport(input, options)
  }
}
