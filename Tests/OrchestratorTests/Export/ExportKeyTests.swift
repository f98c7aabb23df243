import Testing
@testable import Export
@testable import Kernel
@testable import StackFiles

/// Every key that a stack file can have is accounted for, for each engine, and docs/beyond.md says the same.
@Suite struct ExportKeyTests {
  private static let root = sourceFolder(#filePath, up: 4)

  private static func names<Target>(_ table: KeyTable<Target>) -> [String] {
    table.keys.compactMap { key in
      if case .notSupported = key.handling { nil } else { key.name }
    }
  }

  private static func missing<Target>(_ table: KeyTable<Target>) -> [String] {
    names(table).filter { ExportKeys.entry(table.subject, $0) == nil }
  }

  @Test func theLargeTablesAreWhole() {
    #expect(Self.missing(StackKeys.table) == [])
    #expect(Self.missing(ServiceKeys.table) == [])
    #expect(Self.missing(NetworkKeys.table) == [])
    #expect(Self.missing(VolumeKeys.table) == [])
  }

  /// The tables of inner mappings are private to their files, so their keys are looked for in the text.
  @Test func everyKeyOfTheSourcesIsKnown() throws {
    let known = Set(ExportKeys.table.flatMap(\.names))
    let (output, status) = shell(
      "grep -rhoE '\\.(read|ignored)\\([[:space:]]*\"[^\"]+\"' \(Self.root)/Sources/Orchestrator/StackFiles/Readers")
    #expect(status == 0)
    let keys = output.split(separator: "\n").compactMap { $0.split(separator: "\"").dropFirst().first.map(String.init) }
    #expect(keys.count > 150)
    #expect(Set(keys).subtracting(known) == [])
  }

  @Test func noEntryIsForAKeyThatNobodyCanWrite() {
    let services = Set(Self.names(ServiceKeys.table))
    for entry in ExportKeys.table where entry.subject == "service" {
      #expect(Set(entry.names).subtracting(services) == [])
    }
  }

  @Test func whatIsLostSaysWhatToDo() {
    for entry in ExportKeys.table {
      for treatment in [entry.kubernetes, entry.swarm] {
        #expect(!treatment.text.isEmpty)
        #expect(treatment.outcome < .lost || treatment.remedy != nil, "\(entry.subject) \(entry.names)")
      }
    }
  }

  /// A key of each kind has a row with its line, whatever becomes of it.
  @Test func everyKeyOfAFileHasARow() throws {
    let source = try ExportSource(
      """
      name: shop
      services:
        web:
          command: [a]
          restart: always
          healthcheck: {test: "true", start_interval: 2s}
          deploy: {resources: {limits: {cpus: "0.5", memory: 64m}}}
          networks: {front: {aliases: [store], ipv4_address: 10.1.0.9}}
      networks:
        front: {ipam: {config: [{subnet: 10.1.0.0/24}]}}
      """)
    let report = source.kubernetes().report
    let rows = Dictionary(grouping: report.rows, by: \.key)
    for key in [
      "name", "services", "services.web.command", "services.web.restart", "services.web.healthcheck",
      "services.web.healthcheck.test", "services.web.healthcheck.start_interval", "services.web.deploy",
      "services.web.deploy.resources.limits.cpus", "services.web.networks", "services.web.networks.front.aliases",
      "services.web.networks.front.ipv4_address", "networks", "networks.front.ipam",
      "networks.front.ipam.config.subnet",
    ] {
      #expect(rows[key]?.count == 1, "\(key)")
      #expect(rows[key]?.first?.place.hasPrefix("web.stack:") == true, "\(key)")
    }
    #expect(rows["services.web.networks.front.ipv4_address"]?.first?.outcome == .lost)
    #expect(rows["networks.front.ipam.config.subnet"]?.first?.outcome == .lost)
  }

  @Test func theTableOfTheManualIsThisOne() throws {
    let path = "\(Self.root)/docs/beyond.md"
    let text = String(decoding: try Files.read(path) ?? [], as: UTF8.self)
    let table = ExportKeyTable.markdown
    let begin = "<!-- keys: begin -->\n"
    let parts = text.split(separator: begin, maxSplits: 1)
    try #require(parts.count == 2)
    let rest = parts[1].split(separator: "<!-- keys: end -->", maxSplits: 1, omittingEmptySubsequences: false)
    try #require(rest.count == 2)
    try Golden.expect("\(parts[0])\(begin)\(table)<!-- keys: end -->\(rest[1])", file: path)
  }
}

/// The table of keys as the manual has it.
enum ExportKeyTable {
  static var markdown: String {
    var lines = ["| key | Kubernetes | Swarm |", "| --- | --- | --- |"]
    for entry in ExportKeys.table {
      let names = entry.names.map { "`\($0)`" }.joined(separator: ", ")
      lines.append(
        "| \(entry.subject): \(names) | \(cell(entry.kubernetes)) | \(cell(entry.swarm)) |")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func cell(_ treatment: KeyTreatment) -> String {
    let word = treatment.outcome == .kept ? "" : "**\(treatment.outcome.rawValue)**: "
    return (word + treatment.text + (treatment.remedy.map { "; \($0)" } ?? "")).replacing("|", with: "\\|")
  }
}
