import Glibc
import Kernel
import SystemPackage

/// The files by which a process enters a control group. They can be recorded, so that `exec` need not look for the
/// trees.
public struct ControlGroupEntrance: Hashable, Codable, Sendable {
  /// The folder of version 2, where there is that tree.
  let folder: String?
  /// The files of version 1 that a process writes 0 to.
  ///
  /// `tasks`, not `cgroup.procs`. When one thread moves itself, the kernel need not wait for every fork on the host.
  /// That wait takes as long as making several services (cgroup_procs_write_start in cgroup.c).
  let files: [String]

  /// No group: a process stays where its parent is.
  static let none = ControlGroupEntrance(folder: nil, files: [])

  /// True if all of it is there.
  public var isThere: Bool { ([folder].compactMap(\.self) + files).allSatisfy { access($0, F_OK) == 0 } }

  /// The files that exist and can be written. For ``ContainerSpec/cgroupEntrances``.
  public var open: [String] { files.filter { access($0, W_OK) == 0 } }

  /// The folder of version 2, opened for processes to be born in.
  public struct Birthplace: ~Copyable, Sendable {
    private let folder: Descriptor?

    fileprivate init(_ folder: consuming Descriptor?) {
      self.folder = folder
    }

    /// The folder of version 2, for ``ContainerSpec/cgroup``; nil where there is none.
    public var descriptor: FileDescriptor? {
      switch folder {
      case .some(let folder): folder.fileDescriptor
      case .none: nil
      }
    }
  }

  public func birthplace() throws(KernelError) -> Birthplace {
    guard let folder else { return Birthplace(nil) }
    do {
      return Birthplace(try Descriptor.open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
    } catch {
      if error.errno == .noSuchFileOrDirectory { return Birthplace(nil) }
      throw error
    }
  }
}
