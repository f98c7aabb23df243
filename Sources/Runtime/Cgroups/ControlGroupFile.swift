import Glibc
import Kernel
import SystemPackage

/// The files and folders that a control group consists of.
enum ControlGroupFile {
  /// All of a file; nil when there is none, or none any more.
  static func read(_ path: String) throws(KernelError) -> String? {
    do {
      let bytes = try Descriptor.open(path, O_RDONLY).read(upTo: 16 << 20, path: path)
      return String(decoding: bytes, as: UTF8.self)
    } catch {
      // ENODEV: the group was removed after its file was opened.
      if error.errno == .noSuchFileOrDirectory || error.errno == .operationNotSupportedByDevice { return nil }
      throw error
    }
  }

  /// Writes the text in one write(2), as the kernel requires.
  static func write(_ path: String, _ text: String) throws(KernelError) {
    let file = try Descriptor.open(path, O_WRONLY)
    let bytes = Array(text.utf8)
    try check("write \(text) to", path) { CInt(Glibc.write(file.rawValue, bytes, bytes.count)) }
  }

  /// The value after a word at the start of a line: `oom_kill 2`.
  static func value(of word: String, in text: String) -> UInt64? {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: " ")
      if parts.count == 2, parts[0] == word { return UInt64(parts[1]) }
    }
    return nil
  }

  /// The names of the groups in a group: none when that does not exist.
  static func children(of path: String) throws(KernelError) -> [String] {
    do {
      let folder = try Descriptor.open(path, OpenFlag.path | O_DIRECTORY)
      return try folder.entries(of: path).filter { $0.kind == .folder }.map(\.text)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return [] }
      throw KernelError("list cgroup", path, errno: error.errno)
    }
  }

  /// The processes in a group and in those below it: none when that does not exist. 0 is one that is not to be seen from
  /// here.
  static func processes(in path: String) throws(KernelError) -> [Int32] {
    guard let text = try read("\(path)/cgroup.procs") else { return [] }
    var found = text.split(separator: "\n").compactMap { Int32($0) }.filter { $0 > 0 }
    for child in try children(of: path) { found += try processes(in: "\(path)/\(child)") }
    return found
  }

  /// Removes a group and those below it, leaves first. Gone already is no error.
  ///
  /// The processes of a killed group take a moment to leave it: EBUSY is tried again for at most a second.
  static func removeTree(_ path: String) throws(KernelError) {
    if rmdir(path) == 0 || errno == ENOENT { return }
    for child in try children(of: path) { try removeTree("\(path)/\(child)") }
    for attempt in 0... {
      if rmdir(path) == 0 || errno == ENOENT { return }
      if errno != EBUSY || attempt == 200 {
        throw KernelError("remove cgroup", path, errno: .last)
      }
      usleep(5000)
    }
  }
}
