import CLinux
import Glibc
import Host
import Kernel
import Runtime
import SystemPackage

/// Waits for services to end, by their process, without asking again and again: one descriptor that is readable when one of
/// them has ended or the user wants to stop.
final class EndWatch {
  private let processes: [ServiceProcess]
  private let epoll: Descriptor
  /// Readable when the user wants to stop.
  private let wishes: Descriptor
  private let interrupts: Interrupts?
  private let also: FileDescriptor?

  /// - Parameter also: what ends the wait as well once it is readable, on loan.
  init(_ processes: [ServiceProcess], interrupts: Interrupts?, also: FileDescriptor? = nil) throws(KernelError) {
    self.processes = processes
    self.interrupts = interrupts
    self.also = also
    epoll = try Self.makeSet()
    wishes = try Self.makeSet()
    for process in processes { try Self.add(process.process.pidfd.fileDescriptor, to: epoll) }
    for wish in [interrupts?.wake, also].compactMap(\.self) { try Self.add(wish, to: wishes) }
    try Self.add(wishes.fileDescriptor, to: epoll)
  }

  private static func makeSet() throws(KernelError) -> Descriptor {
    let number = epoll_create1(CInt(EPOLL_CLOEXEC))
    guard number >= 0 else { throw KernelError("create", "an epoll instance", errno: Errno(rawValue: errno)) }
    return Descriptor(adopting: number)
  }

  private static func add(_ descriptor: FileDescriptor, to set: borrowing Descriptor) throws(KernelError) {
    var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: descriptor.rawValue))
    guard epoll_ctl(set.rawValue, EPOLL_CTL_ADD, descriptor.rawValue, &event) == 0 else {
      throw KernelError("watch", "a process", errno: Errno(rawValue: errno))
    }
  }

  /// True if a process has ended, or there is none.
  var hasEnded: Bool {
    processes.isEmpty || processes.contains { Self.isReadable($0.process.pidfd.fileDescriptor) }
  }

  private static func isReadable(_ descriptor: FileDescriptor) -> Bool {
    var waiting = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
    return poll(&waiting, 1, 0) > 0
  }

  /// - Returns: false when the user does not want to wait any longer.
  func wait() -> Bool {
    while !hasEnded {
      if interrupts?.interruption.isInterrupted() ?? false { return false }
      var event = epoll_event()
      epoll_wait(epoll.rawValue, &event, 1, -1)
    }
    return true
  }

  /// The user's wish to stop, whether or not a process has ended.
  var leave: Interruption { Interruption(wake: wishes.fileDescriptor) { [self] in wantsToLeave } }

  private var wantsToLeave: Bool {
    also.map(Self.isReadable) ?? false || interrupts?.interruption.isInterrupted() ?? false
  }

  /// The same condition, for another wait that must end when this one would.
  var interruption: Interruption {
    Interruption(wake: epoll.fileDescriptor) { [self] in hasEnded || wantsToLeave }
  }
}
