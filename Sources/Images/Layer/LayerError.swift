import Kernel
import SystemPackage

/// The reason that a layer cannot be used.
package struct LayerError: Error, Hashable, Sendable, Codable, CustomStringConvertible {
  /// Without a subject: `"etc/../x" leads out of the layer`.
  package var description: String
  package var remedy: String?
  /// True if the disk is full: then another attempt is of no use.
  package var isOutOfSpace = false
  /// True if whoever read what was written has read enough.
  package var isClosed = false

  package init(_ description: String, remedy: String? = nil) {
    (self.description, self.remedy) = (description, remedy)
  }

  package init(_ error: KernelError) {
    var plain = error
    plain.remedy = nil
    self.init("\(plain)", remedy: error.remedy)
    isClosed = error.errno == .brokenPipe
    switch error.errno {
    case .noSpace, Errno(rawValue: 122):
      isOutOfSpace = true
      remedy = "make room on the file system of the images, by hand or with: stack image prune"
    default: break
    }
  }
}
