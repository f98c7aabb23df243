import Kernel

/// A descriptor that a handler keeps open for as long as the handler itself is kept.
package final class SharedDescriptor: Sendable {
  package let descriptor: Descriptor

  package init(_ descriptor: consuming Descriptor) {
    self.descriptor = descriptor
  }
}
