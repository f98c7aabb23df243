import Fuzzing
import Testing

@testable import Dockerfile
@testable import StackFiles

/// Damaged Dockerfiles: each is read to its end, quickly, with places that are in the file.
@Suite struct DockerfileFuzzTests {
  private static let examples = [
    """
    # syntax=docker/dockerfile:1
    # escape=`
    ARG A=1
    FROM a:$A AS b
    RUN x `
      y
    COPY --from=b <<E <<-F /x/
    $A
    E
    \tz
    \tF
    """,
    """
    FROM scratch
    ENV a=1 b="${a:-x}" c='d'
    ENV e f g
    LABEL "x y"=z
    EXPOSE 80 90-92/udp $a
    CMD ["a", "\\u0041"]
    """,
    """
    FROM a
    RUN --mount=type=cache,target=/c,id="x,y" --network=none <<EOF
    #!/bin/sh
    EOF
    HEALTHCHECK --interval=5s CMD a
    """,
    """
    FROM a
    ENV p=${x##*/} q=${x%%.*} r=${x//a/b} s=${x:?no} t=${y:-${z:+1}}
    ONBUILD COPY a* b? [c-d] /
    SHELL ["a"]
    """,
  ]

  private static let words = [
    "\\\n", "<<E", "<<-'F'", "${", "}", "\"", "'", "#", "--", "--mount=", "[\"", "FROM ", "ONBUILD ", "\r\n",
    "\u{FEFF}",
  ].map { Array($0.utf8) }

  private struct Finding: Error { var words: String }

  @Test func damagedFilesAreRead() throws {
    try Fuzz.run(.dockerfile) { input in
      let reading = Reading(bytes: input.mutant(of: Self.examples.map { Array($0.utf8) }, words: Self.words))
      for diagnostic in reading.diagnostics {
        guard let span = diagnostic.primary?.span else { continue }
        if span.range.upperBound > span.file.bytes.count { throw Finding(words: "a place beyond the file") }
      }
      if reading.tree == nil, reading.diagnostics.isEmpty { throw Finding(words: "refused without a word") }
      _ = reading.text
      guard let tree = reading.tree else { return }
      let list = DiagnosticList()
      guard let graph = StageGraph.resolve(tree, BuildInputs(arguments: ["x": "/a.b.c/d"]), list) else { return }
      for node in graph.nodes {
        var scope = StageScope(tree, graph, BuildInputs(), environment: [NamedValue("x", "/a.b.c/d")])
        for instruction in node.stage.instructions { _ = try? scope.operation(instruction).text }
      }
    }
  }
}
