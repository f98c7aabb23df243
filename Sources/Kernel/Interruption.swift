import SystemPackage

/// The early end of a command's wait, for Ctrl-C.
package struct Interruption {
  /// Asked before each wait and after a signal ended one: true to give up.
  package var isInterrupted: () -> Bool
  /// Readable when the wait is over (a signalfd, a pipe). Unlike the flag it also sees a signal that came just before.
  package var wake: FileDescriptor?

  package init(wake: FileDescriptor? = nil, isInterrupted: @escaping () -> Bool = { false }) {
    self.wake = wake
    self.isInterrupted = isInterrupted
  }
}
