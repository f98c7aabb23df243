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

  /// Files of as many shapes as people write, in Fixtures/export.
  private static let fixtures = sourceFolder(#filePath, up: 2) + "/Fixtures/export"
  static let shapes = Files.list(fixtures).filter { $0.hasSuffix(".stack") }.sorted()

  let input: ExportInput

  /// - Throws: ``StackErrors`` when the file has errors.
  init(_ text: String, contents: [String: BoundContent] = [:], users: [String: NumberedUser] = [:]) throws {
    try self.init(load(text), users) { contents[$0] }
  }

  init(_ text: String, reading read: (String) -> BoundContent?) throws { try self.init(load(text), [:], read) }

  init(shape file: String) throws { try self.init(file, in: Self.fixtures) }

  init(example file: String) throws { try self.init(file, in: Self.examples) }

  private init(_ file: String, in folder: String) throws {
    let loader = StackFileLoader(files: HostFiles(), environment: ["HOME": "/root"], workingFolder: folder)
    let outcome = loader.load([file])
    try self.init(outcome, [:], BoundContentReader.read)
  }

  private init(
    _ outcome: StackFileLoader.Outcome, _ users: [String: NumberedUser], _ read: (String) -> BoundContent?
  ) throws {
    guard let file = outcome.stack else {
      throw StackErrors([StackError(nil, DiagnosticRenderer().render(outcome.diagnostics))])
    }
    let services = file.activeServices().services
    let stack = try Resolver.resolve(
      ExportInput.plain(file), services: services, facts: .using(), previous: nil,
      folder: StateFolders().stack(file.name.value))
    input = ExportInput(
      file: file, services: services, stack: stack, keys: outcome.keys, users: users, security: DesiredSecurity.init,
      reading: read)
  }

  func kubernetes(inner: [String] = ["10.244.0.0/16", "fd00:244::/64"], verifying: Bool = false) -> KubernetesExport {
    var options = ExportOptions()
    options.innerRanges = inner.compactMap(IPPrefix.init)
    options.isVerifying = verifying
    return KubernetesExport(input, options)
  }
}
