import Testing
@testable import Export
@testable import StackFiles

/// The reports on each file in stacks/ and stacks/labs/. See ``Golden`` for how to write the files anew.
@Suite struct ExportReportTests {
  @Test(arguments: ExportSource.exampleFiles) func report(file: String) throws {
    let source = try ExportSource(example: file)
    let reports = [source.kubernetes().report, SwarmExport(source.input).report]
    let name = file.split(separator: "/").last.map(String.init) ?? file
    let text = reports.map { $0.text() }.joined(separator: "\n")
    try Golden.expect(text.replacing(ExportSource.examples, with: "stacks"), "export/\(name).report")
  }

  /// Nothing goes away silently: a file is exported, or its report says why not.
  @Test(arguments: ExportSource.exampleFiles) func isExportedOrRefused(file: String) throws {
    let source = try ExportSource(example: file)
    let kubernetes = source.kubernetes()
    #expect(kubernetes.manifests.isEmpty == kubernetes.report.isRefused)
    let swarm = SwarmExport(source.input)
    #expect(swarm.text.isEmpty == swarm.report.isRefused)
    for row in kubernetes.report.rows + swarm.report.rows {
      #expect(!row.text.isEmpty && (row.outcome < .lost || row.remedy != nil), "\(row.key)")
    }
  }

  @Test func theFormOfATable() throws {
    let source = try ExportSource(
      """
      name: shop
      services:
        web: {image: "nginx:1", restart: always, cpuset: "0"}
      """)
    let report = source.kubernetes().report
    let table = report.text(width: 100)
    #expect(table.split(separator: "\n").allSatisfy { $0.count <= 100 })
    #expect(table.hasPrefix("LOST  web.stack:3  services.web.cpuset"))
    #expect(table.hasSuffix("shop for Kubernetes: 4 kept, 0 changed, 1 lost\n"))
    #expect(report.json.contains("\"outcome\": \"lost\""))
    #expect(!report.isWhole && !report.isRefused)
  }
}
