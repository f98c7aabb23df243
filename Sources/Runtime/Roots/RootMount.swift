import CLinux
import Glibc
import Kernel
import SystemPackage

/// A container's root as a detached mount: it is in no mount namespace until the container puts it at its own `/`.
enum RootMount {
  static func make(_ root: ContainerRoot) throws(KernelError) -> Descriptor {
    switch root {
    case .overlay(let lower, let upper, let work):
      try overlay(lower: lower, upper: upper, work: work)
    case .direct(let path):
      try direct(path)
    }
  }

  private static func direct(_ path: String) throws(KernelError) -> Descriptor {
    let folder = try Descriptor.open(path, OpenFlag.path | O_DIRECTORY)
    let tree = Descriptor(
      adopting: try check("use as root folder", path) {
        stack_open_tree(folder.rawValue, "", OpenTree.clone | UInt32(At.emptyPath) | UInt32(At.recursive))
      })
    try check("make private", path) {
      stack_mount_setattr(tree.rawValue, "", UInt32(At.emptyPath) | UInt32(At.recursive), 0, 0, MountFlag.private)
    }
    return tree
  }

  private static func overlay(lower: [String], upper: String, work: String) throws(KernelError) -> Descriptor {
    let context = Descriptor(adopting: try check("mount", "overlay") { stack_fsopen("overlay") })
    // Paths that the kernel's option parser would take apart are named through their descriptors.
    var folders: [FileDescriptor] = []
    defer { for folder in folders { try? folder.close() } }
    // Before Linux 6.5 an option takes 255 bytes, so long ones go the same way.
    let areShort =
      lower.reduce(lower.count) { $0 + $1.utf8.count } < 250 && max(upper.utf8.count, work.utf8.count) < 250
    func name(_ path: String) throws(KernelError) -> String {
      let isPlain = path.utf8.allSatisfy { !"\\:,".utf8.contains($0) && $0 != 0 }
      if isPlain && areShort { return path }
      let folder = try Descriptor.open(path, OpenFlag.path | O_DIRECTORY)
      let number = folder.release()
      folders.append(number)
      return "/proc/self/fd/\(number.rawValue)"
    }
    var layers: [String] = []
    for path in lower { layers.append(try name(path)) }
    let options = [
      ("lowerdir", layers.joined(separator: ":")), ("upperdir", try name(upper)), ("workdir", try name(work)),
      // A restart mounts the same upper folder while the kernel may still be letting go of the former mount.
      ("index", "off"),
    ]
    func attempt(_ call: () -> CInt) throws(KernelError) -> CInt {
      do {
        return try check("mount", "overlay of \(lower.joined(separator: ", ")) with \(upper)", call)
      } catch {
        var error = error
        error.detail = messages(of: context)
        throw error
      }
    }
    _ = try attempt { stack_fsconfig(context.rawValue, FSConfig.setString, "source", "overlay", 0) }
    for (key, value) in options {
      _ = try attempt { stack_fsconfig(context.rawValue, FSConfig.setString, key, value, 0) }
    }
    _ = try attempt { stack_fsconfig(context.rawValue, FSConfig.create, nil, nil, 0) }
    return Descriptor(adopting: try attempt { stack_fsmount(context.rawValue, 0) })
  }

  /// What the file system had to say, a line for each message (fsopen(2): "e overlay: …").
  private static func messages(of context: borrowing Descriptor) -> String? {
    var lines: [String] = []
    var buffer = [UInt8](repeating: 0, count: 1024)
    for _ in 0..<16 {
      let capacity = buffer.count
      let count = buffer.withUnsafeMutableBytes { Glibc.read(context.rawValue, $0.baseAddress, capacity) }
      if count <= 2 { break }
      lines.append(String(decoding: buffer[2..<count], as: UTF8.self).filter { $0 != "\n" })
    }
    return lines.isEmpty ? nil : lines.joined(separator: "; ")
  }
}

/// FSCONFIG_… of linux/mount.h.
enum FSConfig {
  static let setString: UInt32 = 1
  static let create: UInt32 = 6
}
