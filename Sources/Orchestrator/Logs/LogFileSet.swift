import Glibc
import Kernel

/// The log files of one service as a reader sees them while a writer renames them: see ``LogFile`` for what holds.
struct LogFileSet {
  /// A file whatever its name (inode(7)). Held open, it is not given to another.
  struct Identity: Equatable {
    let device: dev_t
    let inode: ino_t

    init(_ status: stat) {
      self.init(device: status.st_dev, inode: status.st_ino)
    }

    init(device: dev_t, inode: ino_t) {
      self.device = device
      self.inode = inode
    }
  }

  /// An open file. A number that rotation has taken away may be gone a moment later; the descriptor stays.
  final class Opened {
    let descriptor: Descriptor
    let identity: Identity

    init(_ descriptor: consuming Descriptor, _ identity: Identity) {
      self.descriptor = descriptor
      self.identity = identity
    }

    /// Octets in it now.
    var size: off_t { status?.st_size ?? 0 }

    /// Nanoseconds since 1970 of the last write; nil when the kernel does not say.
    var modified: Int64? { status.map(\.modified) }

    private var status: stat? {
      var status = stat()
      return fstat(descriptor.rawValue, &status) == 0 ? status : nil
    }
  }

  /// A rotation under way leaves one number empty; where so many are, the log ends.
  private static let gap = 3
  /// Nanoseconds by which the kernel's time stamps may be behind: they advance with its timer (inode(7)).
  private static let tick: Int64 = 20_000_000

  let path: String

  /// The number of a file now: 0 while it is being written to, then 1 and up; `nil` when it has been deleted.
  func number(of identity: Identity) -> Int? {
    // Files move up only, and so does this search: it cannot miss one that moves meanwhile.
    numbers { status in Identity(status) == identity }
  }

  /// The oldest file worth reading: any before it were last written before `since`.
  func openOldest(since: LogTime?) -> Opened? {
    for _ in 0..<16 {
      var oldest: Int?
      _ = numbers(
        where: { status in
          // Written last before `since`: so is everything in it. The kernel's stamp may be a tick behind the writer's clock.
          let modified = status.modified.addingReportingOverflow(Self.tick).partialValue
          return oldest != nil && modified < (since?.nanoseconds ?? .min)
        }, visit: { oldest = $0 })
      guard let oldest else { return nil }
      if let file = open(number: oldest) { return file }
    }
    return nil
  }

  /// The file that was begun after this one: `nil` while there is none.
  func open(after file: Opened) -> Opened? {
    open(beside: file, step: -1)
  }

  /// The file that was finished before this one: `nil` when this is the oldest.
  func open(before file: Opened) -> Opened? {
    open(beside: file, step: 1)
  }

  /// The oldest file that was written to after one that has left the log: rotation deleted it, or somebody took it away.
  private func open(afterLost file: Opened) -> Opened? {
    guard let last = file.modified else { return nil }
    for _ in 0..<16 {
      var oldest: Int?
      _ = numbers(where: { $0.modified < last }, visit: { oldest = $0 })
      guard let oldest else { return nil }
      if let next = open(number: oldest) { return next }
    }
    return nil
  }

  func openNewest() -> Opened? {
    for number in 0..<Self.gap {
      if let file = open(number: number) { return file }
    }
    return nil
  }

  private func open(beside origin: Opened, step: Int) -> Opened? {
    let identity = origin.identity
    // Each turn that fails saw a rotation.
    for _ in 0..<16 {
      guard let number = number(of: identity) else { return step < 0 ? open(afterLost: origin) : nil }
      guard let distance = (1...Self.gap).first(where: { exists(number: number + step * $0) }) else { return nil }
      guard let file = open(number: number + step * distance) else { continue }
      // Higher numbers are renamed first: while nothing has come in between, what was opened is the next.
      let isNext = (1..<distance).allSatisfy { !exists(number: number + step * $0) }
      if isNext, self.number(of: identity) == number { return file }
    }
    return nil
  }

  private func exists(number: Int) -> Bool {
    var status = stat()
    return number >= 0 && lstat(LogFile.path(path, number: number), &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  private func open(number: Int) -> Opened? {
    let descriptor = Glibc.open(LogFile.path(path, number: number), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    let opened = Descriptor(adopting: descriptor)
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Opened(opened, Identity(status))
  }

  /// The first number whose file satisfies `condition`; `visit` gets those before it. Ends where files do.
  private func numbers(where condition: (stat) -> Bool, visit: (Int) -> Void = { _ in }) -> Int? {
    var missing = 0
    var number = 0
    while missing < Self.gap {
      var status = stat()
      // Only regular files belong to the log.
      if lstat(LogFile.path(path, number: number), &status) == 0, status.st_mode & S_IFMT == S_IFREG {
        if condition(status) { return number }
        visit(number)
        missing = 0
      } else {
        missing += 1
      }
      number += 1
    }
    return nil
  }
}

extension stat {
  /// Nanoseconds since 1970 of the last write.
  fileprivate var modified: Int64 {
    Int64(st_mtim.tv_sec).multipliedReportingOverflow(by: 1_000_000_000).partialValue
      .addingReportingOverflow(Int64(st_mtim.tv_nsec)).partialValue
  }
}
