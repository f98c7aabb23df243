import Glibc
import Isolation
import Kernel
import SystemPackage

/// The mounted trees of control groups, and the controllers in each (cgroups(7)).
///
/// On a host of version 2 there is one tree. On one of version 1 each controller has a tree of its own. A hybrid host
/// has version 1's controllers, and beside them a tree of version 2 that names, freezes and kills.
public struct ControlGroups: Hashable, Sendable {
  /// A controller by its name in version 2.
  public enum Controller: String, CaseIterable, Sendable {
    case cpu, cpuset, memory, pids, io
    /// Of version 1 alone.
    case cpuacct, devices, freezer

    /// Its name in version 1.
    public var legacyName: String { self == .io ? "blkio" : rawValue }
  }

  /// The mount point of the tree of version 2: `/sys/fs/cgroup`, or on a hybrid host `/sys/fs/cgroup/unified`.
  public let unified: String?
  /// The controllers that this tree has.
  public let offered: Set<Controller>
  /// The mount point of each controller of version 1. Several may share a tree.
  public let legacy: [Controller: String]

  public init(unified: String?, offered: Set<Controller> = [], legacy: [Controller: String] = [:]) {
    self.unified = unified
    self.offered = offered
    self.legacy = legacy
  }

  /// None at all: everything that is done to a group of these does nothing.
  public static let none = ControlGroups(unified: nil)

  /// Finds the trees that are mounted here and now, and of use.
  public static func observe() throws(KernelError) -> ControlGroups {
    // A host has few of these, and two mounts for each service of every stack.
    let mounts = try Mounts.all(ofFileSystems: "cgroup")
    var unified = unified(of: mounts)
    if let tree = unified, try isThreaded(tree) { unified = nil }
    var legacy: [Controller: String] = [:]
    for mount in mounts where mount.fileSystem == "cgroup" {
      // Whoever mounts it once more, elsewhere, does so later.
      for controller in Controller.allCases
      where legacy[controller] == nil && mount.superOptions.contains(controller.legacyName) {
        legacy[controller] = mount.mountPoint
      }
    }
    let offered = try unified.flatMap { tree throws(KernelError) in
      try ControlGroupFile.read("\(tree)/cgroup.controllers")
    }
    let names = (offered ?? "").split { $0 == " " || $0 == "\n" }
    return ControlGroups(
      unified: unified, offered: Set(names.compactMap { Controller(rawValue: String($0)) }), legacy: legacy)
  }

  /// The tree of version 2 as this process's own cgroup namespace shows it.
  public static func unified(of mounts: [MountEntry]) -> String? {
    mounts.last { $0.fileSystem == "cgroup2" && $0.root == "/" }?.mountPoint
  }

  /// The tree in which each service has a group whatever its limits, to be found and ended by.
  var tracking: String? {
    unified ?? [.freezer, .pids, .memory, .cpuacct].lazy.compactMap { (name: Controller) in legacy[name] }.first
  }

  /// Every tree, each once, that of version 2 first.
  public var trees: [String] {
    var seen: Set<String> = []
    let all = [unified].compactMap(\.self) + Controller.allCases.compactMap { legacy[$0] }
    return all.filter { seen.insert($0).inserted }
  }

  /// Version 1's, in which a group of its own is made for each service: those that count what it uses, or that limit it.
  func legacyTrees(for limits: ResourceLimits) -> [String] {
    var wanted: [Controller] = [.pids, .memory] + limits.controllers
    if unified == nil { wanted += [.cpuacct, .freezer] }
    var seen: Set<String> = []
    return (wanted.filter { !offered.contains($0) }.compactMap { legacy[$0] } + [tracking].compactMap(\.self))
      .filter { $0 != unified && seen.insert($0).inserted }
  }

  /// The trees to be shown to a process that enters a group by these ``ControlGroupEntrance/open``.
  public func trees(enteredBy entrances: [String]) -> [ControlGroupTree] {
    var shown: [ControlGroupTree] = unified.map { [ControlGroupTree(name: Self.name(of: $0), controllers: nil)] } ?? []
    for tree in trees where tree != unified && entrances.contains(where: { $0.hasPrefix("\(tree)/") }) {
      let controllers = Controller.allCases.filter { legacy[$0] == tree }.map(\.legacyName)
      shown.append(ControlGroupTree(name: Self.name(of: tree), controllers: controllers.joined(separator: ",")))
    }
    return shown
  }

  private static func name(of tree: String) -> String { tree.split(separator: "/").last.map(String.init) ?? "cgroup" }

  public func group(_ path: String) -> ControlGroup { ControlGroup(groups: self, path: path) }

  /// The groups right below the one at `path`, in every tree: their names and folders.
  public func folders(in path: String) throws(KernelError) -> [(name: String, path: String)] {
    var found: [(name: String, path: String)] = []
    for tree in trees {
      for name in try ControlGroupFile.children(of: "\(tree)/\(path)") {
        found.append((name, "\(tree)/\(path)/\(name)"))
      }
    }
    return found
  }
}

/// A tree of cgroups as it is mounted in a container.
public struct ControlGroupTree: Hashable, Sendable {
  /// Its folder: `memory`.
  public let name: String
  /// As mount(8) names them; nil for version 2.
  public let controllers: String?
}
