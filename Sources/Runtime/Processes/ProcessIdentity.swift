import CLinux
import Glibc
import Kernel
import SystemPackage

/// A process, told apart from any other that ever had its number: by the boot it runs in and the moment it started.
///
/// Its text form, `412@73201/7e1c…`, is what state files keep.
public struct ProcessIdentity: Hashable, Sendable {
  public let pid: Int32
  /// Clock ticks from boot to its start: field 22 of /proc/PID/stat.
  public let startTime: UInt64
  /// /proc/sys/kernel/random/boot_id.
  public let bootID: String

  public init(pid: Int32, startTime: UInt64, bootID: String) {
    self.pid = pid
    self.startTime = startTime
    self.bootID = bootID
  }

  /// The identity of a process that exists now. ESRCH when there is none of that number.
  public init(of pid: Int32) throws(KernelError) {
    self.init(pid: pid, startTime: try ProcessStat(of: pid).startTime, bootID: try Self.currentBootID())
  }

  /// A descriptor to the process, or `nil` when it is gone, even if its number has a new owner.
  public func open() throws(KernelError) -> Descriptor? {
    guard let descriptor = try Self.descriptor(of: pid) else { return nil }
    // Read after the descriptor is there: were the number given away in between, the start time would differ.
    do {
      if try ProcessIdentity(of: pid) != self { return nil }
    } catch {
      if error.errno == .noSuchProcess { return nil }
      throw error
    }
    return .some(descriptor)
  }

  /// The state of a process that was seen before.
  public enum Presence: Hashable, Sendable {
    case running
    /// It was killed, or its leader has ended before its threads. A killed process is in this state for moments.
    case ending
    /// It has ended, and its parent has not waited for it yet (a zombie).
    case ended(TerminationStatus?)
    /// Nothing has this number, or another process does.
    case absent
  }

  /// The process's state once its last thread has ended, if its leader has.
  ///
  /// - Parameter milliseconds: how long to wait for that. `.ending` is returned when it takes longer.
  public func settledPresence(within milliseconds: Int32) throws(KernelError) -> Presence {
    let presence = try presence()
    guard presence == .ending, case .some(let pidfd) = try open() else { return presence }
    var waiting = pollfd(fd: pidfd.rawValue, events: Int16(POLLIN), revents: 0)
    _ = poll(&waiting, 1, milliseconds)
    return try self.presence()
  }

  /// The process's state now. A parent that is stopped, or an init that reaps nobody, can leave it a zombie for long.
  public func presence() throws(KernelError) -> Presence {
    let stat: ProcessStat
    do {
      stat = try ProcessStat(of: pid)
    } catch {
      if error.errno == .noSuchProcess { return .absent }
      throw error
    }
    guard stat.startTime == startTime, try Self.currentBootID() == bootID else { return .absent }
    if stat.isEnding { return .ending }
    return stat.hasEnded ? .ended(TerminationStatus(waitStatus: stat.waitStatus)) : .running
  }

  /// Whatever process has this number now, or `nil` when none has.
  static func descriptor(of pid: Int32) throws(KernelError) -> Descriptor? {
    let number = stack_pidfd_open(pid)
    if number >= 0 { return .some(Descriptor(adopting: number)) }
    let code = Errno.last
    if code == .noSuchProcess || code == .invalidArgument { return nil }
    throw KernelError("open", "process \(pid)", errno: code)
  }

  /// The id of this boot of the host (random(4), boot_id).
  public static func currentBootID() throws(KernelError) -> String { try boot.get() }

  /// No process sees two. To read it takes a walk through /proc/sys, which grows with the network namespaces of the host, and
  /// whoever asks after a stack asks for each of its services.
  private static let boot = Result { () throws(KernelError) -> String in
    let path = "/proc/sys/kernel/random/boot_id"
    let bytes = try Descriptor.open(path, O_RDONLY).read(upTo: 256, path: path)
    return String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
  }
}

extension ProcessIdentity: LosslessStringConvertible, Codable {
  public var description: String { "\(pid)@\(startTime)/\(bootID)" }

  public init?(_ description: String) {
    guard let at = description.firstIndex(of: "@"), let slash = description.firstIndex(of: "/"), at < slash,
      let pid = Int32(description[..<at]), pid > 0,
      let startTime = UInt64(description[description.index(after: at)..<slash])
    else { return nil }
    self.init(pid: pid, startTime: startTime, bootID: String(description[description.index(after: slash)...]))
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let identity = ProcessIdentity(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a process identity: \(text)")
    }
    self = identity
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
