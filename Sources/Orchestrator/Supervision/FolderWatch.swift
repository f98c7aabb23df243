import Glibc
import Kernel
import Loop

/// Hears when somebody removes, moves or overwrites files of a stack's folder (inotify(7)).
///
/// Records are written under another name and renamed. So a record that was opened for writing under its own name, or that
/// is gone, is somebody else's doing.
final class FolderWatch {
  private let loop: EventLoop
  private let path: String
  private let names: Set<String>
  private let look: () -> Void
  private let inotify: Descriptor
  private var token: EventLoop.Token?
  private var pending: EventLoop.TimerID?

  /// - Parameters:
  ///   - names: the files and folders that matter.
  ///   - look: called a moment after something happened to one of them.
  init(_ path: String, names: Set<String>, loop: EventLoop, look: @escaping () -> Void) throws(KernelError) {
    (self.loop, self.path, self.names, self.look) = (loop, path, names, look)
    let number = inotify_init1(CInt(IN_CLOEXEC | IN_NONBLOCK))
    guard number >= 0 else { throw KernelError("watch", path, errno: .last) }
    inotify = Descriptor(adopting: number).raised()
    token = try loop.register(inotify.fileDescriptor, interest: .read) { [weak self] _ in self?.read() }
    begin()
  }

  /// Watches the folder that has the path now.
  func begin() {
    let events = IN_DELETE | IN_MOVED_FROM | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR
    inotify_add_watch(inotify.rawValue, path, UInt32(events))
  }

  func close() {
    if let token { loop.remove(token) }
    if let pending { loop.cancel(pending) }
    (token, pending) = (nil, nil)
  }

  private func read() {
    var concerns = false
    withUnsafeTemporaryAllocation(byteCount: 1 << 14, alignment: 8) { bytes in
      while true {
        let count = Glibc.read(inotify.rawValue, bytes.baseAddress, bytes.count)
        guard count > 0 else { return }
        var offset = 0
        let header = 16
        while offset + header <= count {
          // `struct inotify_event`: three numbers, the length of the name, the name.
          let length = Int(bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
          let name = bytes[(offset + header)..<min(offset + header + length, count)].prefix { $0 != 0 }
          if name.isEmpty || names.contains(String(decoding: name, as: UTF8.self)) { concerns = true }
          offset += header + length
        }
      }
    }
    // `rm -r` removes one file after the other.
    guard concerns, pending == nil else { return }
    pending = loop.schedule(after: .milliseconds(50)) { [weak self] in
      self?.pending = nil
      self?.look()
    }
  }
}
