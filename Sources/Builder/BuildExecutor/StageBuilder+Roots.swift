import CLinux
import Glibc
import ImageStore
import Kernel
import Runtime
import SystemPackage

extension StageBuilder {
  /// The files of the stage so far, under the layer of a step.
  func openRoot(_ folder: String) throws -> StageRoot { try StageRoot(self, state.layers, folder) }
}

/// A mounted root for this process's own use.
struct StageRoot: ~Copyable {
  private let store: ImageStore
  private let root: Descriptor
  /// Folders of the store that go with the root.
  private let passing: [String]

  /// - Parameter folder: the step's folder that holds what is written; nil for one of the root's own.
  init(_ builder: StageBuilder, _ layers: [ImageRecord.Layer], _ folder: String?) throws {
    store = builder.store
    var passing: [String] = []
    do {
      var lower = try builder.lower(of: layers)
      if lower.isEmpty {
        // An overlay has at least one.
        let empty = try store.beginStep()
        passing.append(empty)
        lower = ["\(empty)/fs"]
      }
      var folder = folder
      if folder == nil {
        let own = try store.beginStep()
        passing.append(own)
        folder = own
      }
      root = try StepRoot(base: store.layersFolder, lower: lower, folder: folder ?? "").open()
      self.passing = passing
    } catch {
      for name in passing { store.abandon(step: name) }
      throw error
    }
  }

  deinit {
    for name in passing { store.abandon(step: name) }
  }

  var fileDescriptor: FileDescriptor { root.fileDescriptor }

  func duplicate() throws(KernelError) -> Descriptor { try root.duplicate() }
}

/// Looks users up in the files of a root.
enum RootOwner {
  static func numbers(of user: String, in root: FileDescriptor) throws(KernelError) -> (user: UInt32, group: UInt32) {
    try RootUsers.numbers(of: user, root: root)
  }
}

/// A root as the users of a step see it, of which they see a part.
struct MappedRoot: ~Copyable {
  private let store: ImageStore
  private let root: Descriptor
  private let passing: [String]

  /// - Parameter further: names of more folders of layers, above the layers.
  init(
    _ builder: StageBuilder, _ layers: [ImageRecord.Layer], _ further: [String], _ identities: ContainerIdentities
  ) throws {
    store = builder.store
    var passing: [String] = []
    do {
      var lower = try further + builder.lower(of: layers)
      for _ in 0..<(lower.isEmpty ? 2 : 1) { passing.append(try store.beginStep()) }
      if lower.isEmpty { lower = ["\(passing[1])/fs"] }
      root = try StepRoot(base: store.layersFolder, lower: lower, folder: passing[0]).open(for: identities)
      self.passing = passing
    } catch {
      for name in passing { store.abandon(step: name) }
      throw error
    }
  }

  deinit {
    for name in passing { store.abandon(step: name) }
  }

  var fileDescriptor: FileDescriptor { root.fileDescriptor }

  /// Opens what is at a path, links followed within the root.
  ///
  /// - Returns: the caller's descriptor.
  func open(_ path: String) throws(KernelError) -> (descriptor: FileDescriptor, isFile: Bool) {
    let flags = UInt64(UInt32(bitPattern: OpenFlag.path | O_CLOEXEC))
    let number = try check("mount", path) {
      stack_openat2(root.rawValue, path, flags, 0, ResolveFlag.inRoot | ResolveFlag.noMagicLinks)
    }
    var status = stat()
    guard fstat(number, &status) == 0 else {
      close(number)
      throw KernelError("look at", path, errno: .last)
    }
    return (FileDescriptor(rawValue: number), status.st_mode & S_IFMT != S_IFDIR)
  }
}
