import CImages
import CLinux
import Glibc
import Kernel
import SystemPackage

/// The places that something is mounted on for a RUN step and that its image may not have. They lie in a layer of their
/// own below all others, so nothing has to be made for them in the step's layer.
struct MountPoints {
  /// The layer's folder.
  let folder: String
  private let targets: [(path: String, isFile: Bool)]

  static let always: [(path: String, isFile: Bool)] = [
    ("/proc", false), ("/sys", false), ("/dev", false), ("/etc/hosts", true), ("/etc/resolv.conf", true),
  ]

  /// - Parameter targets: absolute, without `..`.
  init(_ targets: [(path: String, isFile: Bool)], in folder: String) throws(KernelError) {
    self.folder = folder
    self.targets = Self.always + targets
    for (path, isFile) in self.targets { try make(path, isFile) }
  }

  private func make(_ path: String, _ isFile: Bool) throws(KernelError) {
    let place = folder + path
    guard isFile else { return try Files.makeFolder(place, mode: 0o755, above: 0o755) }
    if let slash = place.lastIndex(of: "/") { try Files.makeFolder(String(place[..<slash]), mode: 0o755, above: 0o755) }
    let number = open(place, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard number >= 0 else {
      if errno == EISDIR { return }
      throw KernelError("make", place, errno: .last)
    }
    close(number)
  }

  /// Takes away what was made in a step's layer all the same, since a link or a removed folder hid what is below. No
  /// step changes what something is mounted on, so what is there is empty.
  ///
  /// - Parameters:
  ///   - layer: the step's.
  ///   - lower: folders of the layers below, the topmost first, without this one.
  func remove(from layer: String, lower: [String]) {
    for (path, isFile) in targets {
      var parts = path.split(separator: "/").map(String.init)
      for folder in [layer] + lower {
        guard let target = Self.link(folder + path) else { continue }
        let base = target.hasPrefix("/") ? [] : Array(parts.dropLast())
        parts = Self.normalized(base + target.split(separator: "/").map(String.init))
        break
      }
      Self.remove(parts, isFile, from: layer, lower)
    }
  }

  private static func remove(_ parts: [String], _ isFile: Bool, from layer: String, _ lower: [String]) {
    // No link on the way: everything in the layer is the step's.
    let rules = ResolveFlag.noSymlinks
    var parts = parts
    var isLast = true
    while let name = parts.popLast() {
      let parent = parts.isEmpty ? "." : parts.joined(separator: "/")
      let root = open(layer, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard root >= 0 else { return }
      let layerFolder = Descriptor(adopting: root)
      let number = stack_openat2(layerFolder.rawValue, parent, UInt64(O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0, rules)
      guard number >= 0 else { return }
      let folder = Descriptor(adopting: number)
      var status = stat()
      guard fstatat(folder.rawValue, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
      if isLast, isFile {
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size == 0 else { return }
        guard unlinkat(folder.rawValue, name, 0) == 0 else { return }
      } else {
        guard status.st_mode & S_IFMT == S_IFDIR else { return }
        // A folder that hides what is below is no trace of a mount.
        let path = (parts + [name]).joined(separator: "/")
        let isKnown = lower.contains { Files.exists("\($0)/\(path)") }
        guard isLast || !isKnown, unlinkat(folder.rawValue, name, AT_REMOVEDIR) == 0 else { return }
      }
      isLast = false
    }
  }

  private static func link(_ path: String) -> String? {
    var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &target, target.count)
    return count > 0 ? String(decoding: target.prefix(count), as: UTF8.self) : nil
  }

  private static func normalized(_ parts: [String]) -> [String] {
    var kept: [String] = []
    for part in parts where part != "." {
      if part == ".." { _ = kept.popLast() } else { kept.append(part) }
    }
    return kept
  }
}

private func readlink(_ path: String, _ target: inout [UInt8], _ count: Int) -> Int {
  target.withUnsafeMutableBytes { bytes in
    bytes.baseAddress.map { Glibc.readlink(path, $0.assumingMemoryBound(to: CChar.self), count) } ?? -1
  }
}
