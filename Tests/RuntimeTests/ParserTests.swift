import Glibc
import Kernel
import SystemPackage
import Testing
@testable import Runtime

struct ParserTests {
  @Test func fieldsOfStatCountFromTheLastParenthesis() {
    let fields = (4...52).map { String($0) }.joined(separator: " ")
    let stat = ProcessStat(Array("12 (a) b) (c) S \(fields)\n".utf8))
    #expect(stat?.state == UInt8(ascii: "S"))
    #expect(stat?.flags == 9)
    #expect(stat?.pending == 31)
    #expect(stat?.threads == 20)
    #expect(stat?.startTime == 22)
    #expect(stat?.waitStatus == 52)
    #expect(ProcessStat(Array("12 (sh) S 1 2".utf8)) == nil)
    #expect(ProcessStat([]) == nil)
  }

  @Test func aLeaderThatEndedBeforeItsThreadsRuns() {
    func stat(_ state: String, threads: Int) -> ProcessStat? {
      let fields = (4...52).map { $0 == 20 ? threads : $0 }.map { String($0) }.joined(separator: " ")
      return ProcessStat(Array("12 (a) \(state) \(fields)\n".utf8))
    }
    #expect(stat("Z", threads: 1)?.hasEnded == true)
    #expect(stat("Z", threads: 2)?.hasEnded == false)
    #expect(stat("S", threads: 1)?.hasEnded == false)
  }

  @Test(arguments: [
    ("R", 0x4, 1, true), ("R", 0x4, 3, true), ("S", 0, 2, false), ("R", 0x400, 1, false), ("Z", 0x4, 1, false),
    ("Z", 0x4, 2, true),
  ])
  func aKilledProcessIsEndingUntilItIsAZombie(_ example: (state: String, flags: Int, threads: Int, isEnding: Bool)) {
    let fields = (4...52).map { $0 == 20 ? example.threads : $0 == 9 ? example.flags : $0 }.map { String($0) }
    let stat = ProcessStat(Array("12 (a) \(example.state) \(fields.joined(separator: " "))\n".utf8))
    #expect(stat?.isEnding == example.isEnding)
  }

  @Test(arguments: [(0x100, true), (0x4000, false)])
  func aProcessIsEndingFromTheMomentItIsKilled(_ example: (pending: Int, isEnding: Bool)) {
    let fields = (4...52).map { "\($0 == 31 ? example.pending : $0 == 9 ? 0 : $0)" }.joined(separator: " ")
    #expect(ProcessStat(Array("12 (a) S \(fields)\n".utf8))?.isEnding == example.isEnding)
  }

  @Test func aProcessThatNobodyWaitedForHasEnded() throws {
    var pid: pid_t = 0
    let arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sh"), strdup("-c"), strdup("exit 3"), nil]
    defer { for argument in arguments { free(argument) } }
    #expect(posix_spawn(&pid, "/bin/sh", nil, nil, arguments, nil) == 0)
    let identity = try ProcessIdentity(of: pid)
    var information = siginfo_t()
    #expect(waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) == 0)
    #expect(try identity.presence() == .ended(.exited(code: 3)))
    #expect(waitpid(pid, nil, 0) == pid)
    #expect(try identity.presence() == .absent)
    #expect(try ProcessIdentity(of: getpid()).presence() == .running)
  }

  @Test func identityAsText() {
    let identity = ProcessIdentity(pid: 412, startTime: 73201, bootID: "7e1c-22")
    #expect(identity.description == "412@73201/7e1c-22")
    #expect(ProcessIdentity(identity.description) == identity)
    for bad in ["", "412", "412@/x", "@1/x", "0@1/x", "-4@1/x", "4/1@x", "4@99999999999999999999/x"] {
      #expect(ProcessIdentity(bad) == nil, "\(bad)")
    }
  }

  @Test(arguments: [(0, "exited(code: 0)", 0), (0x300, "exited(code: 3)", 3), (0xff00, "exited(code: 255)", 255)])
  func exited(_ example: (status: Int32, text: String, code: Int32)) {
    #expect(TerminationStatus(waitStatus: example.status)?.shellCode == example.code)
  }

  @Test func signaled() {
    #expect(TerminationStatus(waitStatus: 9) == .signaled(signal: 9, coreDumped: false))
    #expect(TerminationStatus(waitStatus: 0x8b) == .signaled(signal: 11, coreDumped: true))
    #expect(TerminationStatus(waitStatus: 9)?.shellCode == 137)
    #expect(TerminationStatus(waitStatus: 0x137f) == nil)
  }

  @Test func exitRecordCutShortOrForeign() {
    let whole: [UInt8] = [0x53, 0x54, 0x4b, 0x31, 0, 3, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    #expect(ExitRecord(bytes: whole)?.status == .exited(code: 3))
    #expect(ExitRecord(bytes: whole)?.time == 1)
    #expect(ExitRecord(bytes: Array(whole.dropLast())) == nil)
    #expect(ExitRecord(bytes: [0] + whole.dropFirst()) == nil)
    #expect(ExitRecord(bytes: []) == nil)
  }

  @Test func mountEntry() throws {
    let line =
      #"36 35 98:0 /mnt1 /mnt\0402\134x\011 rw,noatime master:1 shared:2 - ext3 /dev/a\040b rw,errors=continue"#
    let entry = try #require(MountEntry(line: line[...]))
    #expect(entry.mountPoint == "/mnt 2\\x\t")
    #expect(entry.id == 36 && entry.parent == 35 && entry.root == "/mnt1")
    #expect(entry.fileSystem == "ext3" && entry.source == "/dev/a b")
    #expect(entry.superOptions == ["rw", "errors=continue"])
    #expect(MountEntry(line: "36 35 98:0 / /x rw - ext3 a rw")?.mountPoint == "/x")
    for bad in ["", "36 35 98:0 / /x rw", "a b c d e f g h i j k", "36 35 98:0 / /x rw shared:1 x ext3 a rw"] {
      #expect(MountEntry(line: bad[...]) == nil)
    }
  }

  @Test(arguments: [#"\"#, #"\04"#, #"\999"#, #"a\"#, #"\40x"#])
  func escapesThatAreNone(text: String) {
    #expect(MountEntry.decoded(text[...]) == text)
  }

  @Test(
    arguments: [
      ("/a/../b//c/.", "/b/c"), ("/../../etc", "/etc"), ("", "/"), ("a/b/", "/a/b"), ("/..", "/"),
    ])
  func pathsAreNormalized(_ example: (given: String, expected: String)) {
    #expect(ContainerPath.normalized(example.given) == example.expected)
  }

  @Test func candidates() {
    #expect(ContainerPath.candidates(for: "sh", environment: ["PATH=/a::/b", "X=1"]) == ["/a/sh", "sh", "/b/sh"])
    #expect(ContainerPath.candidates(for: "./sh", environment: ["PATH=/a"]) == ["./sh"])
    #expect(ContainerPath.candidates(for: "sh", environment: []).count == 6)
    #expect(ContainerPath.candidates(for: "", environment: ["PATH=/a"]).isEmpty)
  }

  @Test func usersFromHostileFiles() {
    let passwd = "web:x:33:44:w:/srv:/bin/sh\nbroken\n::::::\nbig:x:99999999999:1::/:\nneg:x:-1:1::/:\n"
    for user in ["big", "neg", "broken", "4294967295", "99999999999", "web:nosuch", "-1"] {
      #expect(throws: (any Error).self, "\(user)") { try Credentials.resolve(user, passwd: passwd, group: "") }
    }
  }

  /// A root without accounts has numbers all the same. What stands in their place and is no file of text is refused.
  @Test func usersOfRootsWithoutAccounts() throws {
    let root = try BusyboxRoot()
    func numbers(_ user: String) throws -> [UInt32] {
      let folder = try FileDescriptor.open(FilePath(root.lower), .readOnly)
      return try folder.closeAfter {
        let found = try RootUsers.numbers(of: user, root: folder)
        return [found.user, found.group]
      }
    }
    #expect(try numbers("web") == [33, 44])
    #expect(try numbers("web:more") == [33, 46])
    let etc = "\(root.lower)/etc"
    // Neither file is there, then their folder is a file, then it is not there.
    for change in ["rm \(etc)/*", "rmdir \(etc) && touch \(etc)", "rm \(etc)"] {
      try #require(Shell.run(change).status == 0)
      #expect(try numbers("7:8") == [7, 8], "after \(change)")
      let error = #expect(throws: KernelError.self) { try numbers("web") }
      #expect(error?.action == "find user" && error?.errno == .noSuchFileOrDirectory, "after \(change): \(error)")
    }
    for change in ["mkdir -p \(etc)/passwd", "rmdir \(etc)/passwd && mkfifo \(etc)/passwd"] {
      try #require(Shell.run(change).status == 0)
      let error = #expect(throws: KernelError.self) { try numbers("7:8") }
      #expect(error?.detail == "not a regular file", "after \(change)")
    }
  }

  @Test func accountsKeepNamesNumbersAndMembersThatAreSystemUsers() {
    let passwd =
      "root:$6$hash:0:0:Boss:/home/boss:/bin/zsh\nanna:x:1000:1000::/home/anna:/bin/sh\nbad:x:y:1::/:\nnobody:x:65534:65534:n:/:/x\n"
    #expect(
      Accounts.users(from: passwd)
        == "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n")
    let users = Accounts.users(
      from: "frr:x:105:110:FRR:/:/x\nbird:x:104:108::/:/x\nanna:x:1000:1000::/home/anna:/bin/sh\n")
    #expect(
      Accounts.groups(from: "adm:hash:4:anna,frr\nanna:x:1000:\nfrrvty:x:109:frr,bird\nodd:x:1:,frr,\n", among: users)
        == "adm:x:4:frr\nfrrvty:x:109:frr,bird\nodd:x:1:frr\n")
    #expect(Accounts.shadow(of: users) == "frr:*:::::::\nbird:*:::::::\n")
  }

  @Test(
    arguments: [
      ("/usr/share/x", true), ("../usr/lib/os-release", true), ("/etc/shadow", false), ("/usr/../etc/shadow", false),
      ("neighbour", true), ("../etc/shadow", false),
    ])
  func linksThatMayComeAlong(_ example: (target: String, allowed: Bool)) {
    #expect(Skeleton.staysInside(example.target) == example.allowed)
  }
}
