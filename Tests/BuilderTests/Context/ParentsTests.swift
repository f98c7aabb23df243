import Testing

@testable import BuildContext
@testable import BuildIgnore

/// The files that `COPY --parents` takes, and their new places.
@Suite struct ParentsTests {
  private func taken(
    _ source: String, from tree: Tree, ignoring ignore: [String] = [], excluding: [String] = []
  ) throws -> [String] {
    let root = ContextRoot(
      try ContextRoot.open(tree.path), label: "the context", patterns: try IgnorePatterns(ignore))
    var places: [String] = []
    for found in try root.sourcesWithParents(Array(source.utf8)) {
      try root.walk(found, excluding: IgnorePatterns(excluding)) { entry in
        places.append(String(decoding: entry.path, as: UTF8.self))
      }
    }
    return places
  }

  private static let names = [
    "test/a/b/c/d/foo", "test/a/b/c/d/e/bay", "test/a/b2/c/d/e/bar", "test/a/b/c2/d/e/baz", "test/top.txt", "x.txt",
  ]

  private func tree() throws -> Tree {
    let tree = try Tree()
    for name in Self.names { try tree.add(name) }
    return tree
  }

  @Test(arguments: [
    ("x.txt", ["x.txt"]), ("test/top.txt", ["test", "test/top.txt"]),
    ("/test/a/b/./c/d", ["c", "c/d", "c/d/e", "c/d/e/bay", "c/d/foo"]),
    (
      "./test/a/b/c/d",
      [
        "test", "test/a", "test/a/b", "test/a/b/c", "test/a/b/c/d", "test/a/b/c/d/e", "test/a/b/c/d/e/bay",
        "test/a/b/c/d/foo",
      ]
    ),
    (
      "test/a/b/c/d/e/.",
      [
        "test", "test/a", "test/a/b", "test/a/b/c", "test/a/b/c/d", "test/a/b/c/d/e",
        "test/a/b/c/d/e/bay",
      ]
    ),
    ("/test/a/./b2/./c/d/e", ["b2", "b2/c", "b2/c/d", "b2/c/d/e", "b2/c/d/e/bar"]),
  ])
  func aPathKeepsItsFolders(_ source: String, _ expected: [String]) throws {
    #expect(try taken(source, from: tree()) == expected)
  }

  @Test(arguments: [
    ("**/*.txt", ["test", "test/top.txt", "x.txt"]), ("*.txt", ["x.txt"]), ("**/nothing", []),
    ("test/a/b*/./c/**/e", ["c", "c/d", "c/d/e", "c/d/e/bay", "c", "c/d", "c/d/e", "c/d/e/bar"]),
    (
      "test/a/./b/c*/d/e",
      [
        "b", "b/c", "b/c/d", "b/c/d/e", "b/c/d/e/bay", "b", "b/c2", "b/c2/d", "b/c2/d/e",
        "b/c2/d/e/baz",
      ]
    ),
    ("test/a/b/c*/./d/**/baz", ["d", "d/e", "d/e/baz"]),
  ])
  func aPatternMayGoThroughAnyNumberOfFolders(_ source: String, _ expected: [String]) throws {
    #expect(try taken(source, from: tree()) == expected)
  }

  @Test func ignoredAndExcludedPathsStayOut() throws {
    let tree = try tree()
    #expect(try taken("**/*.txt", from: tree, ignoring: ["test"]) == ["x.txt"])
    let backIn = try taken("**/*.txt", from: tree, ignoring: ["test", "!test/top.txt"])
    #expect(backIn == ["test", "test/top.txt", "x.txt"])
    #expect(try taken("**/*.txt", from: tree, excluding: ["test"]) == ["x.txt"])
    // The folders that lead to what is left out are not made.
    #expect(try taken("test/a/b2", from: tree, excluding: ["**/bar", "**/e", "**/d", "**/c", "**/b2"]) == [])
  }

  @Test func aLinkIsKeptAndNoneIsFollowed() throws {
    let tree = try Tree("d/f", "d/l->f", "k->d")
    #expect(try taken("d/l", from: tree) == ["d", "d/l"])
    #expect(try taken("**/f", from: tree) == ["d", "d/f"])
    #expect(
      throws: ContextError(
        "\"k\" is a link, and --parents keeps the names of folders",
        remedy: "name the folder that it leads to")
    ) { _ = try taken("k/f", from: tree) }
    // Links before the pivot are followed, as in any source.
    #expect(try taken("k/./f", from: tree) == ["f"])
  }

  @Test(arguments: ["none", "d/none", "none/f", "../x/none", "d/f/./x", "d/./f/x"])
  func aPathThatIsMissingIsAnError(_ source: String) throws {
    #expect(throws: ContextError.self) { _ = try taken(source, from: try Tree("d/f")) }
  }

  @Test(arguments: [
    (".", ["", "d", "d/f"]), ("../../d/f", ["d", "d/f"]), ("d/./../../d/f", []), ("d/./../f", ["f"]),
  ])
  func noPathLeadsAboveTheContextOrTheBase(_ source: String, _ expected: [String]) throws {
    #expect(((try? taken(source, from: try Tree("d/f"))) ?? []) == expected)
  }

  @Test func theFoldersAndThePlaceAreInTheDigest() throws {
    func digest(_ source: String, _ tree: Tree) throws -> SelectionDigest {
      let root = try tree.root()
      var memory = DigestMemory()
      return try root.digest(of: root.sourcesWithParents(Array(source.utf8)), &memory)
    }
    let tree = try Tree("a/b/f")
    let all = try digest("a/b/f", tree)
    #expect(all.entryCount == 3)
    #expect(try digest("a/./b/f", tree).digest != all.digest)
    #expect(try digest("a/**/f", tree).digest == all.digest)
  }
}
