import CLinux
import Glibc
import Kernel
import SystemPackage

/// An overlay of many folders on a kernel that takes all of them in one option (before Linux 6.7): by mount(2), whose options are a
/// page, with names relative to the folder that they are in.
struct LayeredMount {
  private let parts: RootMount.Overlay
  private let base: CInt

  init(_ parts: RootMount.Overlay, base: CInt) { (self.parts, self.base) = (parts, base) }

  func mount() throws(KernelError) -> Descriptor {
    let place = "\(parts.upper).root"
    if mkdir(place, 0o700) != 0, errno != EEXIST { throw KernelError("make", place, errno: .last) }
    defer { rmdir(place) }
    let further = parts.isOfStep ? ",redirect_dir=off,metacopy=off,volatile" : ""
    let options =
      "lowerdir=\(parts.lower.joined(separator: ":")),upperdir=\(parts.upper),workdir=\(parts.work),index=off\(further)"
    let subject = "overlay of \(parts.lower.count) layers with \(parts.upper)"
    let remedy = "an image of so many layers takes Linux 6.7"
    guard options.utf8.count < sysconf(CInt(_SC_PAGESIZE)) else {
      throw KernelError("mount", subject, errno: .argListTooLong, remedy: remedy)
    }
    try check("mount", subject) { stack_mount_overlay(base, place, options) }
    defer { umount2(place, UnmountFlag.detach | UnmountFlag.noFollow) }
    return try RootMount.clone(place, recursive: false)
  }
}
