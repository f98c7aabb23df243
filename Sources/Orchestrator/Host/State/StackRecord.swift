import Glibc
import Intent
import Kernel

/// The record of what a stack should be, in two copies. One is beside the folder, so that either survives the loss of the
/// other.
package struct StackRecord {
  private let folder: StackFolder

  package init(_ folder: StackFolder) {
    self.folder = folder
  }

  /// The record, or its copy where the record cannot be read; nil when neither can be.
  package func read() throws(KernelError) -> DesiredStack? {
    if let stack = try readFile() { return stack }
    return try readCopy()
  }

  /// The record itself; nil when it is missing, damaged or another's.
  package func readFile() throws(KernelError) -> DesiredStack? {
    try named(StateFile<DesiredStack>(path: folder.intent).read())
  }

  private func readCopy() throws(KernelError) -> DesiredStack? {
    try named(StateFile<DesiredStack>(path: folder.intentCopy(ofBoot: Boot.current())).read())
  }

  private func named(_ stack: DesiredStack?) -> DesiredStack? { stack?.name == folder.name ? stack : nil }

  /// Writes the record to disk, and its copy.
  package func write(_ stack: DesiredStack) throws(KernelError) {
    try StateFile(path: folder.intent).write(stack, isDurable: true)
    keepCopy()
  }

  /// Copies the record. Without a copy, all is as well as before.
  package func keepCopy() {
    guard let text = (try? Files.read(folder.intent)) ?? nil, let boot = try? Boot.current() else { return }
    try? Files.makeFolder(folder.folders.host)
    try? Files.replace(folder.intentCopy(ofBoot: boot), with: text)
  }

  /// Removes both.
  package func remove() throws(KernelError) {
    try removeCopies()
    try Files.remove(folder.intent)
  }

  /// Removes the copies, also those of other boots.
  package func removeCopies() throws(KernelError) {
    for name in Files.list(folder.folders.host) where name.hasPrefix("\(folder.name)@") {
      try Files.remove("\(folder.folders.host)/\(name)")
    }
  }
}
