import TestSupport
import Testing
@testable import Kernel
@testable import StackFiles

@Suite struct DiagnosticExplanationTests {
  static let table = DiagnosticExplanation.table

  @Test func everyCodeIsExplainedOnceAndInOrder() {
    let codes = Self.table.map(\.code)
    #expect(codes == DiagnosticCode.allCases)
    let numbers = codes.map { $0.rawValue.dropFirst() }
    #expect(numbers == numbers.sorted() && Set(numbers).count == numbers.count)
    #expect(codes.allSatisfy { $0.rawValue.count == 5 && Int($0.rawValue.dropFirst()) != nil })
    #expect(Set(Self.table.map(\.meaning)).count == codes.count)
  }

  /// Those of Dockerfiles are read in BuilderTests.
  static let ofStackFiles = table.filter { $0.wrong.name == "web.stack" }

  @Test(arguments: ofStackFiles.map(\.code))
  func theWrongFileHasThisMistakeAndNoOther(_ code: DiagnosticCode) throws {
    let entry = try #require(Self.table.first { $0.code == code })
    #expect(try Self.codes(of: entry.wrong) == [code])
  }

  @Test(arguments: ofStackFiles.map(\.code))
  func theMendedFileHasNoMistake(_ code: DiagnosticCode) throws {
    let entry = try #require(Self.table.first { $0.code == code })
    #expect(try Self.codes(of: entry.mended) == [])
  }

  @Test func entriesFitATerminal() {
    for entry in Self.table {
      #expect(entry.meaning.count <= 110, "\(entry.code.rawValue)")
      #expect(entry.meaning.last != "." && entry.text.last == ".", "\(entry.code.rawValue)")
      let lines = [entry.text, entry.wrong.file, entry.mended.file].flatMap { $0.split(separator: "\n") }
      #expect(lines.allSatisfy { $0.count <= 110 }, "\(entry.code.rawValue)")
    }
  }

  /// The diagnostics of a file in a folder of its own, read as `stack up` reads it.
  private static func codes(of example: DiagnosticExplanation.Example) throws -> [DiagnosticCode] {
    let folder = try TemporaryFolder()
    for command in example.commands {
      let result = shell("cd \(folder.path) && \(command)")
      #expect(result.status == 0, "\(command): \(result.output)")
    }
    try folder.write("web.stack", example.file + "\n")
    let loader = StackFileLoader(
      files: HostFiles(interruption: Interruption()), environment: ["HOME": "/root"], workingFolder: folder.path)
    let outcome = loader.load(["web.stack"])
    let selection = outcome.stack?.activeServices(profiles: [], named: [], withDependencies: true)
    return (outcome.diagnostics + (selection?.diagnostics ?? [])).map(\.code)
  }
}

@Suite struct DiagnosticManualTests {
  @Test func theDocumentIsMadeFromTheTable() throws {
    try Golden.expect(Self.document, file: sourceFolder(#filePath, up: 5) + "/docs/diagnostics.md")
  }

  private static var document: String {
    let rows = DiagnosticExplanation.table.map { entry in
      "| [\(entry.code.rawValue)](#\(entry.code.rawValue.lowercased())) | \(entry.meaning) |"
    }
    let sections = DiagnosticExplanation.table.map { "## \($0.code.rawValue)\n\n\(DiagnosticManual.body(of: $0))" }
    return """
      # Diagnostics

      <!-- Made from DiagnosticExplanation.table. Rewrite: STACK_REWRITE_GOLDEN=1 tools/test --filter DiagnosticManual -->

      Each mistake in a stack file or a Dockerfile has a code that never changes. E is an error, W a warning, N a note.
      `stack explain E0550` prints one of these entries, and `stack explain` lists all codes.
      `stack config --quiet FILE` checks a file without running it. With `--format json`, diagnostics are printed as JSON,
      one object a line.

      Lines that begin with `$` make the files that the example needs beside it.

      | code | meaning |
      | --- | --- |
      \(rows.joined(separator: "\n"))

      \(sections.joined(separator: "\n"))
      """
  }

  @Test func thereIsALineForEachCode() {
    let lines = DiagnosticManual.list.split(separator: "\n")
    #expect(lines.count == DiagnosticCode.allCases.count)
    #expect(lines.first == "E0001  a file is missing or cannot be read")
  }

  @Test(arguments: ["E0550", "e0550"])
  func aPageShowsBothFiles(_ code: String) throws {
    #expect(
      try DiagnosticManual.page(on: code) == """
        error[E0550]: an interface's name has a character or a length that is not allowed

        The kernel takes names of 1 to 15 bytes without `/`, `:` and spaces, other than `.` and `..`. The names
        `lo`, `all` and `default` are the kernel's own.

        Wrong:

            services:
              web:
                command: [sleep, infinity]
                networks: {front: {interface_name: much-too-long-a-name}}
            networks:
              front: {}

        Mended:

            services:
              web:
                command: [sleep, infinity]
                networks: {front: {interface_name: front0}}
            networks:
              front: {}

        """)
  }

  @Test func aPageSaysHowTheFilesBesideAreMade() throws {
    let page = try DiagnosticManual.page(on: "E0002")
    #expect(page.contains("    $ mkdir settings\n    $ cat web.stack\n    services:\n"))
    #expect(try DiagnosticManual.page(on: "W0022").hasPrefix("warning[W0022]: "))
    #expect(try DiagnosticManual.page(on: "N0036").hasPrefix("note[N0036]: "))
  }

  @Test(arguments: [
    ("w550", ": did you mean \"E0550\"?"), ("550", ": did you mean \"E0550\"?"), ("W0550", ": did you mean \"E0550\"?"),
    ("E055", ": did you mean \"E0550\"?"),
    ("E0036", ": did you mean \"N0036\"?"), ("", ""), ("firewall", ""),
  ])
  func anUnknownCodeGetsAQuestion(_ code: String, _ question: String) {
    #expect {
      try DiagnosticManual.page(on: code)
    } throws: { error in
      "\(error)" == "error: there is no diagnostic \"\(code)\"\(question)\n  for all of them: stack explain"
    }
  }
}
