import ImageReference
import Glibc
import Testing

@testable import BuildCache
@testable import BuildContext
@testable import Dockerfile
@testable import StackFiles

/// Keys of steps, and the reasons why one no longer fits.
@Suite struct StepKeyTests {
  /// The parts and keys of the steps of a Dockerfile's last stage.
  private static func records(
    _ text: String, arguments: [String: String] = [:], base: String = "a", shell: [String] = ["/bin/sh", "-c"],
    proxy: String? = nil
  ) throws -> [StepRecord] {
    let inputs = BuildInputs(arguments: arguments.merging(proxy.map { ["http_proxy": $0] } ?? [:]) { $1 })
    let list = DiagnosticList()
    let tree = try #require(DockerfileParser.parse(path: "Dockerfile", bytes: Array(text.utf8), list))
    let graph = try #require(StageGraph.resolve(tree, inputs, list))
    var scope = StageScope(tree, graph, inputs, environment: [NamedValue("PATH", "/bin")])
    var parent: ContentDigest?
    var records: [StepRecord] = []
    for (index, instruction) in try #require(graph.nodes.last).stage.instructions.enumerated() {
      let operation = try scope.operation(instruction)
      let situation = StepSituation(workingFolder: "/", user: "", shell: shell, platform: "linux/amd64")
      var parts = try situation.parts(of: operation, in: scope)
      if index == 0 { parts.append(StepPart(.base, "the image debian:12", base)) }
      let key = try StepKey.key(parent: parent, parts)
      let place = StepRecord.Place(context: "/c", dockerfile: "Dockerfile", stage: "0", step: index)
      records.append(StepRecord(place: place, key: key, parent: parent, parts: parts))
      parent = key
    }
    return records
  }

  private static func lastKey(_ text: String, arguments: [String: String] = [:]) throws -> String? {
    try records(text, arguments: arguments).last?.key
  }

  @Test(arguments: [
    ("RUN a", "RUN b"), ("RUN a", "RUN [\"a\"]"), ("ENV a=1\nRUN a", "ENV a=2\nRUN a"),
    ("RUN a\nRUN b", "RUN c\nRUN b"),
    ("ARG a=1\nRUN a", "ARG a=2\nRUN a"), ("RUN a", "RUN --network=none a"), ("COPY <<a /\n1\na", "COPY <<a /\n2\na"),
    ("RUN --mount=type=cache,target=/a a", "RUN --mount=type=cache,target=/b a"), ("CMD a", "CMD b"),
    ("HEALTHCHECK CMD a", "HEALTHCHECK NONE"), ("HEALTHCHECK --interval=1s CMD a", "HEALTHCHECK --interval=2s CMD a"),
    ("ONBUILD RUN a", "ONBUILD RUN b"), ("RUN <<a\n1\na", "RUN <<a\n2\na"),
  ])
  func whatChangesAResultChangesItsKey(_ first: String, _ second: String) throws {
    #expect(try Self.lastKey("FROM debian:12\n\(first)") != Self.lastKey("FROM debian:12\n\(second)"))
  }

  @Test(arguments: [
    ("RUN  a", "run a"), ("# x\nRUN a", "RUN a"), ("RUN a \\\n b", "RUN a  b"),
    ("COPY --chown=1 --link a b", "COPY --chown=1 a b"),
  ])
  func whatChangesNothingLeavesIt(_ first: String, _ second: String) throws {
    #expect(try Self.lastKey("FROM debian:12\n\(first)") == Self.lastKey("FROM debian:12\n\(second)"))
  }

  @Test func proxiesAreInNoKey() throws {
    let text = "FROM debian:12\nRUN a"
    #expect(try Self.records(text, proxy: "http://user:word@p").last == Self.records(text).last)
  }

  @Test func anArgumentCountsFromWhereItIsDeclared() throws {
    let text = "FROM debian:12\nRUN a\nARG v\nRUN b"
    let (first, second) = (try Self.records(text, arguments: ["v": "1"]), try Self.records(text, arguments: ["v": "2"]))
    #expect(first[0] == second[0])
    #expect(first[2].key != second[2].key)
  }

  // MARK: Reasons

  private static func reason(
    _ former: [StepRecord], _ now: [StepRecord], _ before: [SelectedEntry]? = nil, _ after: [SelectedEntry]? = nil
  ) -> String? {
    zip(former, now).first { $0.key != $1.key }.map { old, new in
      MissReason(former: old, formerEntries: before, now: new, entries: after).description
    }
  }

  @Test func theReasonIsTheFirstDifference() throws {
    let text = "FROM debian:12\nARG VERSION=1.2\nRUN make"
    let former = try Self.records(text)
    #expect(Self.reason(former, try Self.records(text, base: "b")) == "the image debian:12 moved from a")
    #expect(
      Self.reason(former, try Self.records("FROM debian:12\nARG VERSION=1.2\nRUN make all"))
        == "the instruction was: RUN make")
    #expect(
      Self.reason(former, try Self.records(text, shell: ["/bin/bash", "-c"])) == "the shell was /bin/sh -c")
  }

  @Test func anArgumentThatChangedIsNamed() throws {
    let text = "FROM debian:12\nRUN a\nARG VERSION\nRUN make"
    let former = try Self.records(text, arguments: ["VERSION": "1.2"])
    let now = try Self.records(text, arguments: ["VERSION": "1.3"])
    let reason = MissReason(former: former[2], formerEntries: nil, now: now[2], entries: nil)
    #expect(reason.description == "argument VERSION was 1.2")
    let without = try Self.records(text)
    #expect(
      MissReason(former: former[2], formerEntries: nil, now: without[2], entries: nil).description
        == "argument VERSION is no longer set")
    #expect(
      MissReason(former: without[2], formerEntries: nil, now: now[2], entries: nil).description
        == "argument VERSION was not set")
  }

  @Test func whatWasNeverBuiltSaysSo() throws {
    let record = try #require(try Self.records("FROM debian:12\nRUN a").first)
    #expect(MissReason(former: nil, formerEntries: nil, now: record, entries: nil) == .neverBuilt)
    #expect(MissReason(former: record, formerEntries: nil, now: record, entries: nil) == .isGone)
  }

  /// Each command in a context, and the reason for which its COPY is done anew.
  @Test(arguments: [
    ("printf x >>src/app.py", "src/app.py changed"), ("chmod 0755 src/app.py", "the mode of src/app.py was 600"),
    ("touch src/new.py", "src/new.py is new"), ("rm src/app.py", "src/app.py is gone"),
    ("rm src/app.py && mkdir src/app.py", "src/app.py is another kind of file"), ("ln -sf b src/l", "src/l changed"),
    ("touch 'src/a b'", "\"src/a b\" is new"),
  ])
  func theFileThatChangedIsNamed(_ command: String, _ expected: String) throws {
    let tree = try Tree("src/app.py=1", "src/l->a", "src/z=1")
    let before = try Self.copyStep(of: tree)
    try #require(system("cd \(tree.path) && \(command)") == 0)
    let after = try Self.copyStep(of: tree)
    let kept = try #require(SelectionManifest.entries(SelectionManifest.encoded(before.entries)))
    #expect(kept == before.entries)
    let reason = MissReason(
      former: before.record, formerEntries: kept, now: after.record, entries: after.entries)
    #expect(reason.description == expected)
  }

  private static func copyStep(of tree: Tree) throws -> (record: StepRecord, entries: [SelectedEntry]) {
    let root = try tree.root()
    var memory = DigestMemory()
    let digest = try root.digest(of: root.sources(Array("src".utf8)), &memory)
    let parts = [StepPart(.instruction, "COPY", "COPY src /"), StepPart(.files, "the context", "\(digest.digest)")]
    let place = StepRecord.Place(context: tree.path, dockerfile: "Dockerfile", stage: "0", step: 0)
    let record = StepRecord(place: place, key: try StepKey.key(parent: nil, parts), parent: nil, parts: parts)
    return (record, try #require(digest.entries))
  }

  @Test func recordsAreReadAgain() throws {
    let record = try #require(try Self.records("FROM debian:12\nRUN \"ä\n").first)
    #expect(StepRecord(try #require(record.encoded())) == record)
    #expect(StepRecord([]) == nil)
    #expect(SelectionManifest.entries([1, 2]) == nil)
    #expect(record.place.fileName.count == 32)
  }
}
