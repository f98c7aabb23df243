import Glibc
import Kernel
import SystemPackage

/// The file with the output of one step, made by its first line. Output beyond a limit is not kept.
struct StepLog: ~Copyable {
  private let target: String
  private var file: Descriptor?
  private var size = 0
  /// True once there is no more room, or the disk took no more.
  private var isFull = false
  static let limit = 64 << 20

  /// - Parameter target: the path of the file. One that is there is replaced.
  init(_ target: String) { self.target = target }

  /// The path, once something is in the file.
  var path: String? { size > 0 ? target : nil }

  /// Adds a line. The log is for people alone, so a build goes on without it.
  mutating func write(_ line: String) {
    guard !isFull else { return }
    var bytes = Array(line.utf8) + [0x0A]
    if size + bytes.count > Self.limit {
      isFull = true
      bytes = Array("… the step has written more than \(Self.limit >> 20) MiB: the rest is not kept\n".utf8)
    }
    if file == nil {
      unlink(target)
      let number = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
      guard number >= 0 else {
        isFull = true
        return
      }
      file = Descriptor(adopting: number)
    }
    size += bytes.count
    if !Self.add(bytes, to: file) { isFull = true }
  }

  private static func add(_ bytes: [UInt8], to file: borrowing Descriptor?) -> Bool {
    switch file {
    case .some(let file): (try? file.fileDescriptor.writeInFull(bytes)) != nil
    case .none: false
    }
  }
}
