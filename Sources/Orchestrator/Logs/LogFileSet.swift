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
  struct Opened: ~Copyable {
    let descriptor: Descriptor
    let identity: Identity
  }

  /// A rotation under way leaves one number empty; where so many are, the log ends.
  private static let gap = 3

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
          // Written last before `since`: so is everything in it.
          let modified = Int64(status.st_mtim.tv_sec).multipliedReportingOverflow(by: 1_000_000_000).partialValue
          return oldest != nil && modified < (since?.nanoseconds ?? .min)
        }, visit: { oldest = $0 })
      guard let oldest else { return nil }
      if let file = open(number: oldest) { return file }
    }
    return nil
  }

  /// The file that was begun after this one: `nil` while there is none.
  func open(after identity: Identity) -> Opened? {
    open(beside: identity, step: -1)
  }

  /// The file that was finished before this one: `nil` when this is the oldest.
  func open(before identity: Identity) -> Opened? {
    open(beside: identity, step: 1)
  }

  func openNewest() -> Opened? {
    for number in 0..<Self.gap {
      if let file = open(number: number) { return file }
    }
    return nil
  }

  private func open(beside identity: Identity, step: Int) -> Opened? {
    // Each turn that fails saw a rotation.
    for _ in 0..<16 {
      guard let number = number(of: identity) else { return step < 0 ? openOldest(since: nil) : nil }
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
    return Opened(descriptor: opened, identity: Identity(status))
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
