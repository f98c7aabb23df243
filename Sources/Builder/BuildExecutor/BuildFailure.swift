import BuildContext
import Images
import Kernel
import StackFiles
import SystemPackage
import Vocabulary

/// The reason that an image was not built.
package enum BuildFailure: Error {
  /// Mistakes in the Dockerfile.
  case diagnostics([Diagnostic])
  case errors(StackErrors)
  /// The user wanted no more.
  case stopped
  /// A dry run would fetch this image.
  case missing(String)

  /// An error whose place is known to those who call: see ``init(_:at:)``.
  case unplaced(message: String, remedy: String?)

  init(_ place: String?, _ message: String, remedy: String? = nil) {
    guard let place else {
      self = .unplaced(message: message, remedy: remedy)
      return
    }
    self = .errors(StackErrors([StackError(place, message, remedy: remedy)]))
  }

  /// An error of a step at a place of a Dockerfile.
  init(_ place: String, _ error: KernelError) {
    guard error.errno != .interrupted else {
      self = .stopped
      return
    }
    var error = error
    if error.errno == .noSpace, error.remedy == nil {
      error.remedy = "make room on the file system of the images, by hand or with: stack build prune"
    }
    self = .errors(StackErrors([StackError(place, error)]))
  }

  /// Any error, with the place of the step that it ended.
  init(_ error: any Error, at place: String) {
    switch error {
    case BuildFailure.unplaced(let message, let remedy): self.init(place, message, remedy: remedy)
    case let error as BuildFailure: self = error
    case let error as Diagnostic: self = .diagnostics([error])
    case let error as StackErrors: self = .errors(error)
    case let error as StackError: self = .errors(StackErrors([error]))
    case let error as KernelError: self.init(place, error)
    case let error as ContextError: self.init(place, error.message, remedy: error.remedy)
    case let error as ImageError: self = .errors(StackErrors([StackError(place, "\(error)", remedy: error.remedy)]))
    default: self.init(place, "\(error)")
    }
  }
}
