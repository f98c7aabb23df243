import Digests
import ImageFormat
import ImageReference
import Kernel
import Layer
import Registry

/// The reason that an image is not there.
package struct ImageError: Error, Hashable, Sendable, Codable, CustomStringConvertible {
  /// `nginx:alpine`
  package var image: String
  package var problem: String
  package var remedy: String?
  /// True if the user wanted no more.
  package var isStopped = false
  /// True if there was no room for it.
  package var isOutOfSpace = false

  package init(_ image: String, _ problem: String, remedy: String? = nil) {
    (self.image, self.problem, self.remedy) = (image, problem, remedy)
  }

  package var description: String { "image \(image): \(problem)" }

  init(_ image: String, _ error: RegistryError) {
    self.init(image, error.description, remedy: error.remedy)
    isStopped = error.kind == .stopped
  }

  init(_ image: String, _ error: KernelError) {
    var plain = error
    plain.remedy = nil
    self.init(image, "\(plain)", remedy: error.remedy)
    isOutOfSpace = error.errno == .noSpace
    if isOutOfSpace, remedy == nil {
      remedy = "make room on the file system of the images, by hand or with: stack image prune"
    }
  }

  init(_ image: String, _ error: LibraryError) {
    self.init(image, "\(error)", remedy: LibraryError.remedy)
  }

  init(_ image: String, _ error: LayerError, layer: ContentDigest, from place: String) {
    self.init(image, "layer \(layer.short) from \(place): \(error.description)", remedy: error.remedy)
    isOutOfSpace = error.isOutOfSpace
  }

  init(_ image: String, what: String, _ error: ImageFormatError, from place: String) {
    self.init(image, "\(what) from \(place) \(error.description)", remedy: error.remedy)
  }
}

/// Runs what may fail in the kernel, for an image.
func imaging<Value: ~Copyable>(_ image: String, _ body: () throws(KernelError) -> Value) throws(ImageError) -> Value {
  do {
    return try body()
  } catch {
    throw ImageError(image, error)
  }
}
