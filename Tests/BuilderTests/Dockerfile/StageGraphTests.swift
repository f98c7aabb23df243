import ImageFormat
import Testing

@testable import Dockerfile
@testable import StackFiles

/// Which stages a target needs, and where files come from.
@Suite struct StageGraphTests {
  private static let file = """
    ARG TAG=3
    FROM alpine:$TAG AS base
    FROM base AS tools
    RUN a
    FROM golang AS unused
    FROM scratch AS files
    COPY --from=tools /a /a
    COPY --from=0 /b /b
    COPY --from=nginx:1 /c /c
    RUN --mount=type=bind,from=base,target=/x true
    FROM files
    """

  private static func labels(_ expansion: Expansion) -> [String]? { expansion.graph?.nodes.map(\.stage.label) }

  @Test func onlyWhatIsNeededIsBuilt() {
    #expect(Self.labels(Expansion(Self.file)) == ["base", "tools", "files", "4"])
    #expect(Self.labels(Expansion(Self.file, BuildInputs(target: "Tools"))) == ["base", "tools"])
    #expect(Self.labels(Expansion(Self.file, BuildInputs(target: "2"))) == ["unused"])
  }

  @Test func originsAreResolved() throws {
    let graph = try #require(Expansion(Self.file).graph)
    let node = try #require(graph.node(3))
    #expect(node.base == .scratch)
    #expect(node.origins == ["tools": .stage(1), "0": .stage(0), "nginx:1": .image("nginx:1"), "base": .stage(0)])
    #expect(node.dependencies == [0, 1])
    #expect(graph.images == ["alpine:3", "nginx:1"])
    #expect(graph.target == 4)
  }

  @Test func theCallersArgumentNamesTheImage() {
    let graph = Expansion(Self.file, BuildInputs(target: "base", arguments: ["TAG": "edge"])).graph
    #expect(graph?.images == ["alpine:edge"])
  }

  @Test func aContextTakesThePlaceOfAStageOrAnImage() throws {
    let inputs = BuildInputs(contexts: ["tools", "nginx:1"])
    let graph = try #require(Expansion(Self.file, inputs).graph)
    #expect(graph.node(3)?.origins["tools"] == .context("tools"))
    #expect(graph.node(3)?.origins["nginx:1"] == .context("nginx:1"))
    #expect(Self.labels(Expansion(Self.file, inputs)) == ["base", "files", "4"])
    #expect(Expansion("FROM a AS b\nRUN x", BuildInputs(contexts: ["b"])).graph?.node(0)?.base == .context("b"))
  }

  @Test(arguments: [
    ("FROM a\nCOPY --from=1 x y\nFROM b", "E0712", "0"), ("FROM a AS b\nCOPY --from=b x y", "E0712", ""),
    ("FROM a\nCOPY --from=7 x y", "E0711", ""), ("FROM a", "E0711", "b"), ("FROM b\nFROM a AS b", "E0712", "0"),
    ("FROM $x", "E0709", ""), ("FROM --platform=linux/s390x a", "E0713", ""),
    ("FROM --platform=x/y/z/w a", "E0708", ""),
    ("FROM a\nCOPY --from=$x y z", "E0708", ""),
  ])
  func whatCannotBeIsRefused(_ text: String, _ code: String, _ target: String) {
    let inputs = BuildInputs(target: target, platform: ImagePlatform(os: "linux", architecture: "amd64"))
    #expect(Expansion(text, inputs).codes == [code])
  }

  @Test func anImageMayHaveTheNameOfItsStage() {
    #expect(Expansion("FROM python AS python\nFROM python").graph?.nodes.map(\.base) == [.image("python"), .stage(0)])
  }

  @Test func undeclaredArgumentsAreNamed() {
    let text = "ARG a\nFROM scratch\nARG version"
    let given = ["a": "1", "version": "2", "HTTP_PROXY": "x", "BUILDKIT_INLINE_CACHE": "1", "TARGETARCH": "arm64"]
    #expect(Expansion(text, BuildInputs(arguments: given)).codes == [])
    #expect(Expansion(text, BuildInputs(arguments: ["versoin": "1", "x": "2"])).codes == ["W0722", "W0722"])
  }

  @Test func proxiesReachRunAndNothingElse() {
    let inputs = BuildInputs(arguments: ["http_proxy": "p", "a": "1"])
    #expect(inputs.proxyEnvironment == ["http_proxy": "p"])
  }

  @Test func triggersOfAnImageAreRead() {
    let list = DiagnosticList()
    let found = DockerfileParser.triggers(["COPY . /app", "RUN <<E\na\nE"], of: "base", list)
    #expect(found?.map(\.keyword) == ["COPY", "RUN"])
    #expect(DockerfileParser.triggers(["FROM x"], of: "base", list) == nil)
    #expect(DockerfileParser.triggers(["RUN a\nRUN b"], of: "base", list) == nil)
    #expect(list.sorted.map(\.code.rawValue) == ["E0714", "E0714"])
  }
}
