import Glibc
import TestSupport
import Testing
@testable import Intent
@testable import Kernel
@testable import Logs
@testable import Loop
@testable import Supervision

@Suite struct ServiceOutputTests {
  /// As after a hang-up, or when a login has ended and getty asks for the next.
  @Test func aTerminalThatIsOpenedAgainIsReadAgain() throws {
    let folder = try TemporaryFolder()
    let loop = try EventLoop()
    let paths = folder.folders.stack("web").service("a")
    try Files.makeFolder(folder.folders.stack("web").logs)
    let output = ServiceOutput(paths: paths, pump: LogPump(loop: loop), loop: loop)
    defer { output.close() }
    let master = Descriptor(adopting: open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC))
    var (locked, number): (CInt, CInt) = (0, -1)
    // TIOCSPTLCK and TIOCGPTN of asm-generic/ioctls.h, as unlockpt(3) and ptsname(3) use them.
    #expect(ioctl(master.rawValue, 0x4004_5431, &locked) == 0 && ioctl(master.rawValue, 0x8004_5430, &number) == 0)
    let name = "/dev/pts/\(number)"
    output.follow(terminal: master)
    for word in ["one", "two"] {
      // Nobody has it open now: its end is read.
      for _ in 0..<5 { try loop.turn(atMost: .milliseconds(20)) }
      let end = Descriptor(adopting: open(name, O_RDWR | O_NOCTTY | O_CLOEXEC))
      #expect(write(end.rawValue, "\(word)\n", 4) == 4)
      let deadline = loop.now + .seconds(5)
      while output.lastLines(2).last?.hasPrefix(word) != true, loop.now < deadline {
        try loop.turn(atMost: .milliseconds(20))
      }
      #expect(output.lastLines(2).last?.hasPrefix(word) == true)
    }
  }
}
