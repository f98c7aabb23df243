import CLinux
import Glibc
import Kernel
import SystemPackage

/// A container's root as a detached mount: it is in no mount namespace until the container puts it at its own `/`.
struct RootMount: ~Copyable {
  let tree: Descriptor
  /// The detached mounts that the root was made of. Closing the last descriptor of one costs an RCU grace period, about
  /// a quarter of a container's start. So they stay mounted beneath the root, out of reach.
  let layers: Layers

  init(tree: consuming Descriptor, layers: consuming Layers = Layers()) {
    self.tree = tree
    self.layers = layers
  }

  static func make(_ root: ContainerRoot, for identities: ContainerIdentities?) throws(KernelError) -> RootMount {
    switch root {
    case .overlay(let lower, let upper, let work):
      if let identities {
        try MappedOverlay(lower: lower, upper: upper, work: work, identities: identities).mount()
      } else {
        RootMount(tree: try overlay(Overlay(lower: lower, upper: upper, work: work)))
      }
    case .layered(let base, let lower, let upper, let work):
      if let identities {
        try MappedOverlay(lower: lower, base: base, upper: upper, work: work, identities: identities).mount()
      } else {
        RootMount(tree: try layered(lower, in: base, upper: upper, work: work))
      }
    case .step(let root): try root.mount(for: identities)
    case .direct(let path):
      RootMount(tree: try direct(path, for: identities))
    }
  }

  /// Detached mounts, each held by a descriptor.
  struct Layers: ~Copyable {
    private(set) var descriptors: [FileDescriptor] = []

    mutating func add(_ layer: consuming Descriptor) {
      descriptors.append(layer.release())
    }

    deinit {
      for descriptor in descriptors { try? descriptor.close() }
    }
  }

  private static func layered(
    _ lower: [String], in base: String, upper: String, work: String
  ) throws(KernelError) -> Descriptor {
    let folder = try Descriptor.open(base, OpenFlag.path | O_DIRECTORY)
    return try overlay(
      Overlay(lower: lower, base: folder.rawValue, upper: upper, work: work, lowerNames: [base]))
  }

  private static func direct(_ path: String, for identities: ContainerIdentities?) throws(KernelError) -> Descriptor {
    let tree = try clone(path, recursive: true)
    if let identities { try map(tree, to: identities, path: path, recursive: true) }
    try check("make private", path) {
      stack_mount_setattr(tree.rawValue, "", UInt32(At.emptyPath) | UInt32(At.recursive), 0, 0, MountFlag.private)
    }
    return tree
  }

  /// A copy of what is mounted at a folder, in no mount namespace.
  static func clone(_ path: String, recursive: Bool) throws(KernelError) -> Descriptor {
    let folder = try Descriptor.open(path, OpenFlag.path | O_DIRECTORY)
    let flags = OpenTree.clone | UInt32(At.emptyPath) | (recursive ? UInt32(At.recursive) : 0)
    return Descriptor(
      adopting: try check("use as root folder", path) { stack_open_tree(folder.rawValue, "", flags) })
  }

  static func map(
    _ tree: borrowing Descriptor, to identities: ContainerIdentities, path: String, recursive: Bool = false
  ) throws(KernelError) {
    do {
      try check("\(mapping)", path) {
        stack_map_mount(tree.rawValue, recursive ? UInt32(At.recursive) : 0, identities.namespace.rawValue)
      }
    } catch {
      throw unmappable(error)
    }
  }

  static let mapping: StaticString = "map the owners of files in"

  /// Says what to do about a file system that has no idmapped mounts.
  static func unmappable(_ error: KernelError) -> KernelError {
    guard isMapping(error), error.remedy == nil, error.errno == .invalidArgument else { return error }
    var error = error
    error.detail = "its file system has no idmapped mounts"
    error.remedy = "move it to another file system, such as ext4 or xfs, or give the service userns_mode: host"
    return error
  }

  static func isMapping(_ error: KernelError) -> Bool { error.action == "\(mapping)" }

  /// The layers of an overlay, as paths of folders.
  struct Overlay {
    var lower: [String]
    /// The open folder that the lower ones are named relative to.
    var base: CInt?
    var upper: String
    var work: String
    /// The names of the lower folders in errors, where these differ from the mounted paths.
    var lowerNames: [String]?
    /// True for a step of a build. Its layer is read without an overlay, so it has whole files and folders. Nothing is flushed to
    /// disk before the step has ended: one that is cut off is done again.
    var isOfStep = false
  }

  /// True on a kernel that looks at an overlay's options only when it makes the mount (before Linux 6.5). It takes any of them until
  /// then, also those that it does not know.
  private static let looksAtOptionsLater: Bool = {
    let context = stack_fsopen("overlay")
    guard context >= 0 else { return false }
    let trial = Descriptor(adopting: context)
    return stack_fsconfig(trial.rawValue, FSConfig.setString, "no_such_option", "", 0) == 0
  }()

  static func overlay(_ parts: Overlay) throws(KernelError) -> Descriptor {
    if let base = parts.base, looksAtOptionsLater { return try LayeredMount(parts, base: base).mount() }
    let (lower, upper, work) = (parts.lower, parts.upper, parts.work)
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
    var options: [(String, String)] = []
    if let base = parts.base {
      // One option for each (Linux 6.7), since one for all ends at 255 bytes.
      options = lower.map { ("lowerdir+", "/proc/self/fd/\(base)/\($0)") }
      if let first = options.first, stack_fsconfig(context.rawValue, FSConfig.setString, first.0, first.1, 0) != 0 {
        return try LayeredMount(parts, base: base).mount()
      }
      options = Array(options.dropFirst())
    } else {
      var layers: [String] = []
      for path in lower { layers.append(try name(path)) }
      options = [("lowerdir", layers.joined(separator: ":"))]
    }
    options += [
      ("upperdir", try name(upper)), ("workdir", try name(work)),
      // A restart mounts the same upper folder while the kernel may still be letting go of the former mount.
      ("index", "off"),
    ]
    func attempt(_ call: () -> CInt) throws(KernelError) -> CInt {
      do {
        return try check(
          "mount", "overlay of \((parts.lowerNames ?? lower).joined(separator: ", ")) with \(upper)", call)
      } catch {
        var error = error
        error.detail = messages(of: context)
        throw error
      }
    }
    _ = try attempt { stack_fsconfig(context.rawValue, FSConfig.setString, "source", "overlay", 0) }
    if parts.isOfStep {
      options += [("redirect_dir", "off"), ("metacopy", "off")]
      _ = try attempt { stack_fsconfig(context.rawValue, FSConfig.setFlag, "volatile", nil, 0) }
    }
    for (key, value) in options {
      _ = try attempt { stack_fsconfig(context.rawValue, FSConfig.setString, key, value, 0) }
    }
    _ = try attempt { stack_fsconfig(context.rawValue, FSConfig.create, nil, nil, 0) }
    return Descriptor(adopting: try attempt { stack_fsmount(context.rawValue, 0) })
  }

  /// The messages of the file system, each on a line (fsopen(2): "e overlay: …").
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
  static let setFlag: UInt32 = 0
  static let setString: UInt32 = 1
  static let create: UInt32 = 6
}
