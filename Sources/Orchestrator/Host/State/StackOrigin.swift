import Glibc
import Intent
import Kernel

/// The files that a stack was last brought up from, and when. The record stays as long as the stack has volumes: so what a
/// folder has left behind is known as its own.
package struct StackOrigin: Codable, Hashable, Sendable {
  /// The first stack file, as an absolute path.
  package var file: String
  /// Seconds since 1970.
  package var broughtUpAt: Int

  package static func read(_ folder: StackFolder) -> StackOrigin? {
    try? StateFile<StackOrigin>(path: folder.origin).read()
  }

  /// Writes it, unless it is known already. The time is that of the first `up` since the last `down`.
  package static func record(_ stack: DesiredStack, in folder: StackFolder, isNew: Bool) throws(KernelError) {
    let known = read(folder)
    guard isNew || known?.file != stack.file else { return }
    let since = isNew ? time(nil) : known?.broughtUpAt ?? time(nil)
    try StateFile(path: folder.origin).write(StackOrigin(file: stack.file, broughtUpAt: since))
  }
}
