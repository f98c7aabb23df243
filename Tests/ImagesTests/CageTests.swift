import CImages
import Glibc
import Testing

/// The processes that read what registries send, shut in. Each case is a process of its own, since nothing undoes a cage.
@Suite(.enabled(if: getuid() == 0, "a cage takes root")) struct CageTests {
  #if arch(x86_64)
    /// A call of the x32 ABI has a number of its own, which a list of numbers would miss. A kernel without x32 says ENOSYS, and
    /// one with it answers the call. The filter says EPERM.
    @Test(arguments: [true, false])
    func callsOfTheOtherABIAreRefused(hasNetwork: Bool) throws {
      let number = 0x4000_0000 | 39  // getpid(2)
      #expect(try errno(of: number) { hasNetwork ? images_enter_network_cage() : images_enter_cage("/tmp") } == EPERM)
      #expect(try errno(of: number) { 0 } != EPERM)
    }

    /// The same for what has a number of x86-64: execve(2), and mount(2).
    @Test(arguments: [59, 165])
    func programsAndMountsAreRefused(number: Int) throws {
      #expect(try errno(of: number) { images_enter_network_cage() } == EPERM)
      #expect(try errno(of: number) { images_enter_cage("/tmp") } == EPERM)
      #expect(try errno(of: number) { 0 } != EPERM)
    }

    /// prlimit(2) of process 1, and of its own. tgkill(2), by its number, and fanotify_init(2).
    @Test func otherProcessesAreOutOfReach() throws {
      for enter in [{ images_enter_network_cage() }, { images_enter_cage("/tmp") }] {
        #expect(try errno(of: 302, 1, enter) == EPERM)
        #expect(try errno(of: 302, 0, enter) == 0)
        for number in [234, 129, 300] { #expect(try errno(of: number, 0, enter) == EPERM, "\(number)") }
      }
      #expect(try errno(of: 302, 1) { 0 } == 0)
    }

    /// A captured unpacker could put a file of the host into a layer, and the service would read it there. Landlock
    /// refuses with EACCES.
    @Test(.enabled(if: CageTests.hasLandlock, "no Landlock"))
    func noFileOfTheHostIsRead() throws {
      let store = "/tmp/stack-cage-\(getpid())"
      #expect(mkdir(store, 0o700) == 0 && mkdir("\(store)/ingest", 0o700) == 0)
      defer {
        for path in ["\(store)/beside", "\(store)/ingest", store] { remove(path) }
      }
      close(creat("\(store)/beside", 0o600))
      let paths = ["/etc/shadow": false, "/root": false, "\(store)/beside": true, "\(store)/ingest": true]
      for (path, isOpen) in paths {
        let name = strdup(path)
        defer { free(name) }
        let inside = try errno(of: 2, Int(bitPattern: name)) { images_enter_cage("\(store)/ingest") }
        #expect(inside == (isOpen ? 0 : EACCES), "\(path)")
        #expect(try errno(of: 2, Int(bitPattern: name)) { 0 } == 0, "\(path)")
      }
    }

    private static var hasLandlock: Bool {
      typealias Call = @convention(c) (Int, Int, Int, Int) -> Int
      guard let symbol = dlsym(nil, "syscall") else { return false }
      // landlock_create_ruleset(2), asked for its version.
      return unsafeBitCast(symbol, to: Call.self)(444, 0, 0, 1) >= 2
    }

    /// The errno of a system call, made in a child after `enter`; 0 for none, 255 if `enter` fails.
    private func errno(of number: Int, _ argument: Int = 0, _ enter: () -> CInt) throws -> CInt {
      // Swift imports neither: the child makes system calls alone, and ends without returning.
      typealias Fork = @convention(c) () -> pid_t
      typealias Call = @convention(c) (Int, Int, Int, Int, Int, Int, Int) -> Int
      let fork = unsafeBitCast(try #require(dlsym(nil, "fork")), to: Fork.self)
      let call = unsafeBitCast(try #require(dlsym(nil, "syscall")), to: Call.self)
      let child = fork()
      if child == 0 {
        guard enter() == 0 else { _exit(255) }
        _exit(call(number, argument, 0, 0, 0, 0, 0) < 0 ? Glibc.errno : 0)
      }
      var status: CInt = 0
      #expect(waitpid(child, &status, 0) == child)
      return (status >> 8) & 0xFF
    }
  #endif
}
