import Glibc
import Kernel
import Testing

@testable import BuildContext
@testable import BuildIgnore

/// Digests over what a COPY takes, and what is remembered of files.
@Suite struct DigestTests {
  private static func digest(_ tree: Tree, _ source: String = ".", _ memory: inout DigestMemory) throws -> String {
    let root = try tree.root()
    return "\(try root.digest(of: root.sources(Array(source.utf8)), &memory).digest)"
  }

  private static func digest(_ tree: Tree, _ source: String = ".") throws -> String {
    var memory = DigestMemory()
    return try digest(tree, source, &memory)
  }

  private static func run(_ command: String, in tree: Tree) -> Bool { system("cd \(tree.path) && \(command)") == 0 }

  /// Each command, and whether the digest over the folder is another one afterwards.
  @Test(arguments: [
    ("true", false), ("touch -d 2001-01-01 a", false), ("chown 5:6 a", false), ("printf x >>a", true),
    ("chmod 0755 a", true), ("chmod 0711 d", true), ("mv a c", true), ("rm a", true), ("ln -sf y l", true),
    ("mkdir e", true), ("rm a && mkdir a", true),
    ("python3 -c 'import os; os.setxattr(\"a\", \"user.k\", b\"1\")'", true), ("rm l && touch l", true),
    ("cp a b2 && rm b2", false), ("mv a d/a", true), ("touch d/new && rm d/new", false),
  ])
  func aDigestIsOfAllButTimesAndOwners(_ command: String, _ changes: Bool) throws {
    let tree = try Tree("a=1", "d/b=2", "l->x")
    let before = try Self.digest(tree)
    try #require(Self.run(command, in: tree), "\(command)")
    #expect((try Self.digest(tree) != before) == changes, "\(command)")
  }

  @Test func aStagesOwnersCount() throws {
    let tree = try Tree("a")
    var memory = DigestMemory()
    func digest() throws -> String {
      let root = ContextRoot(try ContextRoot.open(tree.path), label: "stage a", keepsOwners: true)
      return "\(try root.digest(of: root.sources([]), &memory).digest)"
    }
    let before = try digest()
    try #require(Self.run("chown 5:6 a", in: tree))
    #expect(try digest() != before)
  }

  @Test func theNameOfAFileCountsAndThatOfAFolderDoesNot() throws {
    let tree = try Tree("a=1", "b=1", "d/x=1", "e/x=1")
    #expect(try Self.digest(tree, "a") != Self.digest(tree, "b"))
    #expect(try Self.digest(tree, "d") == Self.digest(tree, "e"))
  }

  @Test func onlySelectedFilesCount() throws {
    let tree = try Tree("a=1", "b=1")
    let before = try Self.digest(tree, "a")
    try tree.add("b=2")
    #expect(try Self.digest(tree, "a") == before)
  }

  @Test func orderOnTheDiskDoesNotCount() throws {
    let first = try Tree("a=1", "b=2", "c/d=3", "c/e=4")
    let second = try Tree("c/e=4", "c/d=3", "b=2", "a=1")
    #expect(try Self.digest(first) == Self.digest(second))
  }

  // MARK: Memory

  @Test func anOldFileIsReadOnce() throws {
    let tree = try Tree("a=1", "b=2")
    var memory = DigestMemory()
    let before = try Self.digest(tree, ".", &memory)
    // Fresh files are not remembered.
    #expect(memory.readCount == 2)
    try Self.waitUntilOld()
    _ = try Self.digest(tree, ".", &memory)
    #expect(memory.readCount == 4)
    #expect(try Self.digest(tree, ".", &memory) == before)
    #expect(memory.readCount == 4)
    var again = DigestMemory(try #require(memory.encoded()))
    #expect(try Self.digest(tree, ".", &again) == before)
    #expect(again.readCount == 0)
    try tree.add("a=3")
    #expect(try Self.digest(tree, ".", &again) != before)
    #expect(again.readCount == 1)
  }

  @Test func aChangeOfTheSameSizeAndTimeIsSeen() throws {
    let tree = try Tree("a=1")
    try Self.waitUntilOld()
    var memory = DigestMemory()
    let before = try Self.digest(tree, ".", &memory)
    try #require(Self.run("touch -r a t && printf 2 >a && touch -r t a && rm t", in: tree))
    #expect(try Self.digest(tree, ".", &memory) != before)
  }

  /// Waits for the clock, as the rule about fresh files looks at it: there is nothing else to wait for.
  private static func waitUntilOld() throws {
    var start = timespec()
    clock_gettime(CLOCK_REALTIME, &start)
    var now = start
    while now.tv_sec <= start.tv_sec + 2 {
      usleep(50_000)
      clock_gettime(CLOCK_REALTIME, &now)
    }
  }

  @Test func aDamagedMemoryCountsAsNone() throws {
    let tree = try Tree("a=1")
    try Self.waitUntilOld()
    var memory = DigestMemory()
    _ = try Self.digest(tree, ".", &memory)
    let bytes = try #require(memory.encoded())
    for place in [0, 30, 60, bytes.count - 1] {
      var damaged = bytes
      damaged[place] ^= 1
      var other = DigestMemory(damaged)
      _ = try Self.digest(tree, ".", &other)
      #expect(other.readCount == 1, "\(place)")
    }
    for count in [0, 1, 20, bytes.count - 1] {
      var other = DigestMemory(Array(bytes.prefix(count)))
      _ = try Self.digest(tree, ".", &other)
      #expect(other.readCount == 1)
    }
  }
}
