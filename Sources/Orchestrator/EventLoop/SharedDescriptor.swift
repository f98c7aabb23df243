import Kernel

/// A descriptor that a handler keeps open for as long as the handler itself is kept.
final class SharedDescriptor: Sendable {
  let descriptor: Descriptor

  init(_ descriptor: consuming Descriptor) {
    self.descriptor = descriptor
  }
}
