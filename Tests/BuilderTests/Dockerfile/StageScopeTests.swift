import ImageFormat
import Testing

@testable import Dockerfile
@testable import StackFiles

/// Scopes of ARG and ENV, and what instructions mean once they are expanded.
@Suite struct StageScopeTests {
  private static func environment(_ kinds: [Operation.Kind]) -> [String] {
    kinds.flatMap { kind -> [String] in
      if case .environment(let values) = kind { values.map(\.text) } else { [] }
    }
  }

  @Test(arguments: [
    ("ENV a=1 b=$a", ["a=1", "b="]), ("ENV a=1\nENV a=2 b=$a", ["a=1", "a=2", "b=1"]), ("ARG x=1\nENV a=$x", ["a=1"]),
    ("ARG x=1\nENV x=2\nENV a=$x", ["x=2", "a=2"]), ("ENV x=1\nARG x=2\nENV a=$x", ["x=1", "a=2"]),
    ("ENV a=\"b c\" d='$e'", ["a=b c", "d=$e"]), ("ENV a b  \"c\"", ["a=b  c"]), ("ARG x\nENV a=${x:-d}", ["a=d"]),
    ("ARG x=1\nARG y=$x\nENV a=$y", ["a=1"]), ("ARG k=n\nENV $k=1", ["n=1"]), ("ENV a=${UNKNOWN:-1}", ["a=1"]),
  ])
  func valuesHoldFromTheNextInstructionOn(_ text: String, _ expected: [String]) {
    #expect(Self.environment(Expansion("FROM scratch\n\(text)").kinds) == expected)
  }

  /// 2^60 bytes, by sixty lines; and a text that stands between all characters of another.
  @Test func valuesThatGrowByPowersAreRefused() {
    let doubled = Array(repeating: "ENV a=$a$a\n", count: 60).joined()
    let grown = Expansion("FROM scratch\nENV a=xxxxxxxx\n\(doubled)").diagnostics
    #expect(!grown.isEmpty && grown.allSatisfy { $0.code == .badExpansion })
    let long = String(repeating: "x", count: 60_000)
    let woven = Expansion("FROM scratch\nENV a=\(long)\nENV b=${a//x/$a}").diagnostics
    #expect(woven.map(\.code) == [.badExpansion])
  }

  @Test func argumentsOfTheCallerComeFirst() {
    let inputs = BuildInputs(arguments: ["x": "given"])
    #expect(Self.environment(Expansion("FROM scratch\nARG x=1\nENV a=$x", inputs).kinds) == ["a=given"])
    #expect(Self.environment(Expansion("ARG x=1\nFROM scratch\nARG x\nENV a=$x", inputs).kinds) == ["a=given"])
    #expect(Self.environment(Expansion("FROM scratch\nENV a=$x", inputs).kinds) == ["a="])
  }

  @Test func anArgumentAboveFromIsFetchedByItsName() {
    let text = "ARG x=1\nFROM scratch\nENV a=$x\nARG x\nENV b=$x"
    let expansion = Expansion(text)
    #expect(Self.environment(expansion.kinds) == ["a=", "b=1"])
    #expect(expansion.codes == ["W0723"])
    #expect(Self.environment(Expansion("ARG x=1\nFROM scratch\nARG x=2\nENV b=$x").kinds) == ["b=2"])
  }

  @Test func aStageInheritsTheArgumentsOfItsBase() {
    let text = "FROM scratch AS a\nARG x=1\nFROM a\nENV b=$x\nFROM scratch\nENV c=$x"
    #expect(Self.environment(Expansion(text, BuildInputs(target: "1")).kinds) == ["b=1"])
    #expect(Self.environment(Expansion(text).kinds) == ["c="])
  }

  @Test func thePlatformIsThisMachines() {
    let inputs = BuildInputs(platform: ImagePlatform(os: "linux", architecture: "arm64"))
    let text = """
      FROM --platform=$BUILDPLATFORM scratch
      ENV a=$TARGETARCH
      ARG TARGETARCH TARGETPLATFORM
      ENV b=$TARGETARCH c=$TARGETPLATFORM
      """
    #expect(Self.environment(Expansion(text, inputs).kinds) == ["a=", "b=arm64", "c=linux/arm64/v8"])
  }

  @Test func theBasesVariablesAreThere() {
    let base = [NamedValue("PATH", "/bin")]
    let expansion = Expansion("FROM scratch\nENV PATH=/app:$PATH", environment: base)
    #expect(Self.environment(expansion.kinds) == ["PATH=/app:/bin"])
  }

  @Test(arguments: [
    ("80", ["80/tcp"]), ("80/udp 443", ["80/udp", "443/tcp"]), ("8000-8002", ["8000/tcp", "8001/tcp", "8002/tcp"]),
    ("80 80/TCP", ["80/tcp"]), ("$p", ["1/tcp", "2/udp"]), ("127.0.0.1:8080:80", ["80/tcp"]),
  ])
  func portsAreExposedOneByOne(_ text: String, _ expected: [String]) {
    let expansion = Expansion("FROM scratch\nENV p=\"1 2/udp\"\nEXPOSE \(text)")
    guard case .expose(let ports)? = expansion.kinds.last else { return #expect(Bool(false)) }
    #expect(ports == expected)
  }

  @Test(arguments: ["0x50", "80/icmp", "70000", "9-8", "http"])
  func whatIsNoPortIsRefused(_ text: String) {
    #expect(Expansion("FROM scratch\nEXPOSE \(text)").codes == ["E0708"])
  }

  // MARK: RUN

  private static func run(_ text: String) -> RunOperation? {
    let operation = Expansion("FROM scratch\n\(text)").kinds.last
    if case .run(let run)? = operation { return run }
    return nil
  }

  @Test(arguments: [
    ("RUN echo $x", RunOperation.Command.shell("echo $x")), ("RUN [\"echo\", \"$x\"]", .words(["echo", "$x"])),
    ("RUN <<EOF\na $x\nb\nEOF", .shell("a $x\nb\n")), ("RUN <<-EOF\n\ta\n\tEOF", .shell("a\n")),
    ("RUN <<EOF\n#!/bin/x\na\nEOF", .script(name: "EOF", content: "#!/bin/x\na\n")),
    ("RUN python3 <<EOF\nprint(1)\nEOF", .shell("python3 <<EOF\nprint(1)\nEOF")),
    ("RUN cat <<a <<b\n1\na\n2\nb", .shell("cat <<a <<b\n1\na\n2\nb")),
  ])
  func theShellExpandsACommand(_ text: String, _ expected: RunOperation.Command) {
    #expect(Self.run(text)?.command == expected)
  }

  @Test func mountsAreExpanded() throws {
    let run = try #require(
      Self.run("ARG d=/c\nRUN --mount=type=cache,target=$d,id=x,sharing=locked,mode=0700,uid=1 true"))
    var expected = RunMount()
    (expected.kind, expected.target, expected.id, expected.sharing) = (.cache, "/c", "x", .locked)
    (expected.isReadOnly, expected.mode, expected.uid) = (false, 0o700, 1)
    #expect(run.mounts == [expected])
  }

  @Test(arguments: [
    ("type=bind,target=/a", true), ("target=/a,rw", false), ("type=bind,dst=/a,ro=false", false),
    ("type=tmpfs,target=/a", false), ("type=cache,target=/a,readonly", true), ("type=secret,id=a", true),
  ])
  func mountsAreReadOnlyByKind(_ text: String, _ isReadOnly: Bool) {
    #expect(Self.run("RUN --mount=\(text) true")?.mounts.map(\.isReadOnly) == [isReadOnly])
  }

  @Test(arguments: [
    ("type=cash,target=/a", "E0708"), ("type=bind,target=/", "E0708"), ("type=bind,target=/a,size=1m", "E0708"),
    ("type=tmpfs,target=/a,size=x", "E0708"), ("type=secret", "E0708"), ("type=secret,id=a,sharing=locked", "E0708"),
    ("type=bind,target=/a,mode=0700", "E0708"), ("type=cache,target=/a,mode=9", "E0708"),
    ("type=bind,from=$a,target=/a", "E0708"), ("type=bind,target=/a,required", "E0708"), ("type=ssh", "E0713"),
    ("tipe=bind,target=/a", "E0708"), ("type=bind,target", "E0708"),
  ])
  func whatIsNoMountIsRefused(_ text: String, _ code: String) {
    #expect(Reading("FROM scratch\nRUN --mount=\(text) true").codes == [code])
  }

  // MARK: ADD

  @Test(arguments: [
    ("ADD https://a.example/b /c", CopyOperation.Source.url("https://a.example/b")), ("ADD b /c", .path("b")),
    ("COPY http://a /c", .path("http://a")), ("ARG u=http://a\nADD $u /c", .url("http://a")),
    ("ENV x=1\nCOPY <<f /c\n$x\nf", .file(name: "f", content: "1\n")),
    ("ENV x=1\nCOPY <<'f' /c\n$x\nf", .file(name: "f", content: "$x\n")),
  ])
  func sourcesAreOfThreeKinds(_ text: String, _ expected: CopyOperation.Source) {
    guard case .copy(let copy)? = Expansion("FROM scratch\n\(text)").kinds.last else { return #expect(Bool(false)) }
    #expect(copy.sources == [expected])
  }

  @Test(arguments: ["https://a.example/b.git", "https://a.example/b.git#main:x", "git@a.example:b", "git://a/b"])
  func gitIsRefused(_ source: String) {
    #expect(Expansion("FROM scratch\nADD \(source) /c").codes == ["E0713"])
  }

  @Test func aTextOfOneLineSaysAll() {
    let text = "FROM scratch\nENV v=1\nCOPY --chown=$v a$v b c/\nHEALTHCHECK --interval=5s CMD x\nCMD [\"a\\\"b\"]"
    #expect(
      Expansion(text).operations.map(\.text) == [
        "ENV v=1", "COPY --chown=1 a1 b c/", "HEALTHCHECK --interval=5s0ns CMD x", "CMD [\"a\\\"b\"]",
      ])
  }
}
