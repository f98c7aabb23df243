import Glibc
import Kernel
import Testing

@testable import BuildContext
@testable import BuildIgnore

/// What a COPY takes from a context.
@Suite struct ContextTests {
  private static func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch let error as ContextError {
      return error.message + (error.remedy.map { "; \($0)" } ?? "")
    } catch {
      return "\(error)"
    }
  }

  // MARK: Paths and links

  @Test(arguments: ["a/b", "/a/b", "./a//b", "../a/b", "a/../../../a/b", "a/./b", "x/../a/b"])
  func pathsStayInTheContext(_ source: String) throws {
    #expect(try Tree("a/b").selected(source) == ["a/b"])
  }

  @Test(arguments: [
    ("l", "a/b"), ("up", "a/b"), ("absolute", "a/b"), ("folder/b", "a/b"), ("chain", "a/b"), ("a/back", "a/b"),
    ("folder/../a/b", "a/b"),
  ])
  func aSourceThatIsALinkIsFollowedInside(_ source: String, _ expected: String) throws {
    let tree = try Tree(
      "a/b", "l->a/b", "up->../../../../a/b", "absolute->/a/b", "folder->a", "chain->l", "a/back->../l")
    #expect(try tree.selected(source) == [expected])
  }

  @Test func aCopyGetsTheNameThatIsWritten() throws {
    let tree = try Tree("a", "l->a")
    let sources = try tree.root().sources(Array("l".utf8))
    #expect(sources.map { String(decoding: $0.name, as: UTF8.self) } == ["l"])
    #expect(sources.map { String(decoding: $0.path, as: UTF8.self) } == ["a"])
  }

  @Test func noLinkLeadsToTheHost() throws {
    let tree = try Tree("l->/etc/passwd", "m->../../../../../../etc/passwd", "p->/proc/self/root/etc/passwd")
    for name in ["l", "m", "p"] {
      let text = Self.message { _ = try tree.selected(name) }
      #expect(text.hasPrefix("there is no \"\(name)\" in the context; a link on the way leads to \""), "\(text)")
    }
  }

  @Test func linksBelowASourceAreCopied() throws {
    let tree = try Tree("d/f", "d/l->f", "d/out->/etc/passwd", "d/none->x")
    let root = try tree.root()
    #expect(try tree.selected("d") == ["d", "d/f", "d/l", "d/none", "d/out"])
    var targets: [String] = []
    try root.walk(try root.sources(Array("d".utf8))[0]) { entry throws(ContextError) in
      if entry.status.kind == .link { targets.append(String(decoding: try entry.linkTarget(), as: UTF8.self)) }
    }
    #expect(targets == ["f", "x", "/etc/passwd"])
  }

  @Test func aCircleOfLinksIsRefused() throws {
    let tree = try Tree("a->b", "b->a")
    #expect(Self.message { _ = try tree.selected("a") }.contains("in a circle"))
  }

  @Test(arguments: [
    ("ap.py", "there is no \"ap.py\" in the context; did you mean \"app.py\"?"),
    ("APP.py", "there is no \"APP.py\" in the context; did you mean \"app.py\"?"),
    ("zz", "there is no \"zz\" in the context; paths start at the context's folder, wherever the Dockerfile is"),
    ("app.py/x", "\"app.py\" is no folder, so it holds no \"x\""),
    ("zz/y", "there is no \"zz/y\" in the context; paths start at the context's folder, wherever the Dockerfile is"),
  ])
  func whatIsMissingIsNamed(_ source: String, _ expected: String) throws {
    let tree = try Tree("app.py")
    #expect(Self.message { _ = try tree.selected(source) } == expected)
  }

  // MARK: Patterns

  @Test(arguments: [
    ("*", ["a", "a/x", "b.c", "d.c"]), ("*.c", ["b.c", "d.c"]), ("a/*", ["a/x"]), ("[bd].c", ["b.c", "d.c"]),
    ("[^b].c", ["d.c"]), ("?.c", ["b.c", "d.c"]), ("*/x", ["a/x"]), ("**", ["a", "a/x", "b.c", "d.c"]), ("z*", []),
    ("z/*", []), ("b.c/*", []), ("\\b.*", ["b.c"]), ("./*.c", ["b.c", "d.c"]), ("a/../*.c", ["b.c", "d.c"]),
  ])
  func patternsMatchPartByPart(_ source: String, _ expected: [String]) throws {
    #expect(try Tree("a/x", "b.c", "d.c").selected(source) == expected)
  }

  @Test func aPatternFollowsTheLinksThatItMatchesAndNoOthers() throws {
    let tree = try Tree("d/f", "l->d", "m->d/f")
    #expect(try tree.selected("l*") == ["d", "d/f"])
    #expect(try tree.selected("m*") == ["d/f"])
    #expect(try tree.selected("*/f") == ["d/f"])
    #expect(try tree.selected("l/*") == ["d/f"])
  }

  @Test(arguments: ["a[", "[", "x*/[z-a]", "a*\\"])
  func whatIsNoPatternIsRefused(_ source: String) throws {
    let tree = try Tree("a")
    #expect(Self.message { _ = try tree.selected(source) }.contains("is no pattern"))
  }

  // MARK: What is left out

  @Test(arguments: [
    (["b"], ".", ["", "a", "a/x", "a/y", "c"]), (["a"], ".", ["", "b", "c"]),
    (["a", "!a/x"], ".", ["", "a", "a/x", "b", "c"]),
    (["*"], ".", [""]), (["*", "!a/x"], ".", ["", "a", "a/x"]), (["*", "!a"], "a", ["a", "a/x", "a/y"]),
    (["a", "!a/x"], "a", ["a", "a/x"]), (["a/x"], "a/*", ["a/y"]), (["a"], "*", ["b", "c"]),
    (["*", "!**/x"], "*", ["a", "a/x"]),
    (["a", "!a/z"], "*", ["b", "c"]),
  ])
  func ignoredPathsAreNotTaken(_ ignore: [String], _ source: String, _ expected: [String]) throws {
    #expect(try Tree("a/x", "a/y", "b", "c").selected(source, ignoring: ignore) == expected)
  }

  @Test func aPathThatIsLeftOutSaysByWhat() throws {
    let tree = try Tree("a/x", "l->a/x")
    #expect(
      Self.message { _ = try tree.selected("a/x", ignoring: ["a"]) }
        == "\"a\" is left out of the context by \"a\"; take it back in with a later line: !a")
    #expect(Self.message { _ = try tree.selected("l", ignoring: ["a"]) }.contains("left out"))
    #expect(Self.message { _ = try tree.selected("a", ignoring: ["a", "!a/z"]) }.contains("left out"))
  }

  @Test(arguments: [
    (["x"], ["d", "d/e", "d/e/x", "d/y"]), (["**/x"], ["d", "d/e", "d/y"]), (["e"], ["d", "d/y"]),
    (["e", "!e/x"], ["d", "d/e", "d/e/x", "d/y"]),
  ])
  func exclusionsAreRelativeToTheSource(_ exclusions: [String], _ expected: [String]) throws {
    #expect(try Tree("d/e/x", "d/y").selected("d", excluding: exclusions) == expected)
  }

  @Test func aDockerfileIsReadThoughItIsLeftOut() throws {
    let tree = try Tree("Dockerfile=FROM a", "l->/Dockerfile", "out->/etc/hostname", "d/")
    let root = try tree.root("*")
    #expect(try root.file("Dockerfile", limit: 100) == Array("FROM a".utf8))
    #expect(try root.file("l", limit: 100) == Array("FROM a".utf8))
    #expect(try root.file("none", limit: 100) == nil)
    #expect(try root.file("out", limit: 100) == nil)
    #expect(throws: ContextError.self) { try root.file("d", limit: 100) }
    #expect(throws: ContextError.self) { try root.file("Dockerfile", limit: 3) }
  }

  // MARK: Strange entries

  @Test func namesNeedNotBeText() throws {
    let tree = try Tree("d/")
    let name: [CChar] = Array(tree.path.utf8CString.dropLast()) + [0x2F, 0x64, 0x2F, -1, 0x0A, 0]
    let file = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
    #expect(file >= 0)
    close(file)
    var found: [[UInt8]] = []
    let root = try tree.root()
    for source in try root.sources(Array("d/*".utf8)) { found.append(source.path) }
    #expect(found == [[0x64, 0x2F, 0xFF, 0x0A]])
    var memory = DigestMemory()
    #expect(try root.digest(of: root.sources([]), &memory).entryCount == 3)
  }

  @Test func socketsAndDevicesAreLeftOutOfTheDigest() throws {
    let tree = try Tree("a")
    #expect(mkfifo("\(tree.path)/fifo", 0o644) == 0)
    #expect(mknod("\(tree.path)/socket", S_IFSOCK | 0o644, 0) == 0)
    #expect(mknod("\(tree.path)/null", S_IFCHR | 0o666, makedev(1, 3)) == 0)
    let root = try tree.root()
    var memory = DigestMemory()
    let digest = try root.digest(of: root.sources([]), &memory)
    #expect(digest.omitted.map { String(decoding: $0, as: UTF8.self) } == ["null", "socket"])
    #expect(digest.entryCount == 3)
  }

  @Test func foldersWithoutEndAreRefused() throws {
    let tree = try Tree()
    try Files.makeFolder(tree.path + String(repeating: "/d", count: 300))
    #expect(Self.message { _ = try tree.selected(".") }.contains("lies deeper than 256 folders"))
  }

  private func makedev(_ major: UInt64, _ minor: UInt64) -> dev_t { dev_t(major << 8 | minor) }
}
