import Glibc
import Isolation
import Kernel
import SystemPackage

extension ControlGroup {
  /// Writes one limit into the tree that has its controller.
  func apply(_ setting: ControlGroupSetting) throws(KernelError) {
    do throws(KernelError) {
      let isUnified = groups.offered.contains(setting.controller)
      if isUnified, let tree = groups.unified {
        try applyUnified(setting, in: tree)
      } else if let tree = groups.legacy[setting.controller] {
        if setting.controller == .cpuset { try checkProcessors(setting.legacy.value, "\(tree)/cpuset.cpus") }
        try ControlGroupFile.write("\(folder(in: tree))/\(setting.legacy.file)", setting.legacy.value)
      } else {
        throw KernelError(
          "", "", errno: .notSupported, detail: "this host has no \(setting.controller.rawValue) controller",
          remedy: "switch it on when the kernel starts, or leave the limit out")
      }
    } catch {
      throw explained(error, setting)
    }
  }

  private func applyUnified(_ setting: ControlGroupSetting, in tree: String) throws(KernelError) {
    guard var entry = setting.unified.first else { return }
    let folder = folder(in: tree)
    // Controllers that cost something are handed down to those stacks alone that need them.
    if access("\(folder)/\(entry.file)", F_OK) != 0 {
      try enable(setting.controller)
      entry = setting.unified.first { access("\(folder)/\($0.file)", F_OK) == 0 } ?? entry
    }
    if setting.controller == .cpuset { try checkProcessors(entry.value, "\(tree)/cpuset.cpus.effective") }
    try ControlGroupFile.write("\(folder)/\(entry.file)", entry.value)
  }

  /// The kernel takes those that it does not have, and then uses the others or all.
  private func checkProcessors(_ wanted: String, _ file: String) throws(KernelError) {
    let text = (try ControlGroupFile.read(file) ?? "").filter { !$0.isWhitespace }
    let present = ProcessorList(text)?.numbers ?? []
    guard !present.isEmpty, let list = ProcessorList(wanted), !list.numbers.isSubset(of: present) else { return }
    throw KernelError(
      "", "", errno: .invalidArgument, detail: "\(wanted): this host has the processors \(text)",
      remedy: "choose among these in `cpuset`")
  }

  private func explained(_ error: KernelError, _ setting: ControlGroupSetting) -> KernelError {
    var error = error
    (error.action, error.subject) = ("limit", "\(setting.subject) of \(path)")
    guard error.detail == nil else { return error }
    switch error.errno {
    case .noSuchFileOrDirectory:
      error.detail = "the kernel has no such limit in the \(setting.controller.rawValue) controller"
      error.remedy = "leave it out"
    case .resourceBusy, .readOnlyFileSystem, .permissionDenied, .notPermitted:
      error.detail = "the \(setting.controller.rawValue) controller is not handed down to \(groups.unified ?? "here")"
      error.remedy =
        "in a container, have its manager delegate controllers (with systemd: Delegate=yes), or leave the limit out"
    default: break
    }
    return error
  }
}
