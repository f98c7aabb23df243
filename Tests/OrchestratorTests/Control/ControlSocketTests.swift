import FoundationEssentials
import Glibc
import Synchronization
import SystemPackage
import Testing
@testable import Control
@testable import Kernel
@testable import Loop

@Suite struct ControlSocketTests {
  private let folder = "/tmp/stack-socket-\(UUID().uuidString)"

  private func mode(_ path: String) -> mode_t? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode : nil
  }

  @Test func onlyTheOwnerCanReachTheSocketAndNothingElseIsLeft() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = try ControlSocket.listen(inFolder: folder)
    #expect(mode(folder) == S_IFDIR | 0o700)
    #expect(mode("\(folder)/control.sock") == S_IFSOCK | 0o600)
    // Once more, over the one that is there and that nobody listens at now.
    let second = try eventuallyWithoutError { try ControlSocket.listen(inFolder: folder) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["control.sock"])
    _ = try ControlSocket.connect(inFolder: folder, timeout: .seconds(5))
    #expect(second.rawValue >= 0)
  }

  @Test func aFolderThatIsOpenToOthersIsRefused() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    mkdir(folder, 0o700)
    chmod(folder, 0o750)
    #expect(throws: KernelError.self) { _ = try ControlSocket.listen(inFolder: folder) }
    #expect(mode("\(folder)/control.sock") == nil)
  }

  @Test func aPathLongerThanSocketsCanNameStillWorks() throws {
    let long = folder + "/" + String(repeating: "d", count: 200)
    mkdir(folder, 0o700)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let fixture = try ControlFixture(folder: long)
    defer { fixture.stop() }
    let client = try ControlClient(connectingIn: long)
    #expect(try client.call(Echo.self, .init(text: "far")).text == "far")
  }

  @Test func nobodyListeningIsSaidAtOnce() throws {
    #expect { try ControlClient(connectingIn: folder) } throws: { error in
      if case .kernel(let error) = error as? ControlError { error.errno == .noSuchFileOrDirectory } else { false }
    }
    _ = try ControlSocket.listen(inFolder: folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    // A process that another test starts meanwhile has a copy of the listener until it is executed.
    #expect(
      eventually {
        do throws(ControlError) {
          _ = try ControlClient(connectingIn: folder)
          return false
        } catch {
          if case .kernel(let error) = error { return error.errno == .connectionRefused }
          return false
        }
      })
  }

  /// Tries until nothing is thrown: a process that another test starts meanwhile has a copy of the listener until it is executed.
  private func eventuallyWithoutError<Result: ~Copyable>(_ body: () throws -> Result) throws -> Result {
    for _ in 0..<1000 {
      if let result = try? body() { return result }
      usleep(5_000)
    }
    return try body()
  }

  @Test func aClientMayConnectAndCallBeforeTheServerRuns() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let listener = try ControlSocket.listen(inFolder: folder)
    let peer = try RawPeer(folder)
    peer.send("{\"method\":\"io.stack.test.Echo\",\"parameters\":{\"text\":\"early\"}}\0")
    shutdown(peer.socket.rawValue, CInt(SHUT_WR))
    let loop = try EventLoop()
    // As inherited: another number for the same socket, without flags.
    let server = try ControlServer(loop: loop, listener: Descriptor(adopting: dup(listener.rawValue)))
    server.handle(Echo.self) { call in
      call.finish(.init(text: call.parameters.text))
      loop.schedule(after: .milliseconds(20)) { loop.stop() }
    }
    try loop.run()
    #expect(peer.readToEnd() == "{\"parameters\":{\"text\":\"early\"}}\0")
    server.close()
    #expect(server.connectionCount == 0)
  }

  @Test func whatIsNoListeningSocketIsNotAdopted() throws {
    let loop = try EventLoop()
    let pipe = try FileDescriptor.pipe()
    defer { try? pipe.writeEnd.close() }
    #expect(throws: KernelError.self) {
      _ = try ControlServer(loop: loop, listener: Descriptor(adopting: pipe.readEnd))
    }
    let unbound = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
    #expect(throws: KernelError.self) { _ = try ControlServer(loop: loop, listener: Descriptor(adopting: unbound)) }
  }

  /// With the modes out of the way, the kernel's word on the peer still keeps others out.
  @Test(.enabled(if: geteuid() == 0)) func anotherUserIsRefusedByName() throws {
    let fixture = try ControlFixture(folder: folder)
    defer { fixture.stop() }
    chmod(folder, 0o711)
    chmod("\(folder)/control.sock", 0o666)
    let connect = "s = socket.socket(socket.AF_UNIX); s.connect('\(folder)/control.sock')"
    let script = "import os, socket; os.setuid(65534); \(connect); print(s.recv(4096))"
    let command = "python3 -c \"\(script)\" 2>&1"
    let pipe = try #require(popen(command, "r"))
    var buffer = [UInt8](repeating: 0, count: 4_096)
    let count = fread(&buffer, 1, buffer.count, pipe)
    pclose(pipe)
    let answer = String(decoding: buffer[..<count], as: UTF8.self)
    #expect(answer.contains("io.stack.NotPermitted") && answer.contains("uid 65534"), "\(answer)")
  }

  @Test func aSignalEndsAClientsWaitOnlyIfTheCallerSaysSo() throws {
    let fixture = try ControlFixture(folder: folder)
    defer { fixture.stop() }
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in }
    sigaction(SIGUSR2, &action, nil)
    let pipe = try FileDescriptor.pipe()
    let thread = Mutex<pthread_t?>(nil)
    let asked = Mutex((count: 0, stop: false))
    let calling = OwnThread { [folder] () -> ControlError? in
      // The test runner's threads block signals, and theirs inherit that.
      SignalSet([]).becomeMask()
      thread.withLock { $0 = pthread_self() }
      do throws(ControlError) {
        let interruption = Interruption(
          wake: pipe.readEnd,
          isInterrupted: {
            asked.withLock {
              $0.count += 1
              return $0.stop
            }
          })
        let client = try ControlClient(connectingIn: folder, interruption: interruption)
        _ = try client.call(Hang.self, Nothing())
        return nil
      } catch {
        return error
      }
    }
    calling.start()
    #expect(eventually { fixture.hanging.withLock { $0 } == 1 })
    let number = try #require(thread.withLock { $0 })
    let before = asked.withLock { $0.count }
    // A signal may come just before the wait, so more than one is sent.
    #expect(
      eventually {
        pthread_kill(number, SIGUSR2)
        return asked.withLock { $0.count } > before + 1
      })
    asked.withLock { $0.stop = true }
    #expect(
      eventually {
        pthread_kill(number, SIGUSR2)
        return fixture.disconnects.withLock { $0 } == 1
      })
    // Should the signal have done nothing, this ends the wait.
    try pipe.writeEnd.close()
    #expect(calling.join() == .some(.interrupted))
    try pipe.readEnd.close()
  }

  @Test func whatAllPeersHoldTogetherIsBounded() throws {
    var limits = ControlServer.Limits()
    limits.bufferedBytes = 1_000_000
    let fixture = try ControlFixture(folder: folder, limits: limits)
    defer { fixture.stop() }
    let hoarders = try (0..<20).map { _ in try RawPeer(folder) }
    for hoarder in hoarders { hoarder.send(Array("{\"".utf8) + [UInt8](repeating: 0x61, count: 200_000)) }
    let client = try ControlClient(connectingIn: folder)
    #expect(try client.call(Echo.self, .init(text: "ab"), timeout: .seconds(10)).text == "ab")
    let dropped = hoarders.filter { hoarder in
      var byte: UInt8 = 0
      let count = recv(hoarder.socket.rawValue, &byte, 1, 0)
      return count == 0 || count < 0 && errno == ECONNRESET
    }
    #expect(dropped.count >= 15)
  }
}
