import BuildContext
import BuildIgnore
import Kernel
import SystemPackage

/// Files that a step takes from: a context, the files of a stage, or those of an image.
final class StepSource {
  let root: ContextRoot
  /// The mounted root, as long as it is in use.
  private let stage: StageRoot?

  init(_ root: ContextRoot) {
    self.root = root
    stage = nil
  }

  init(_ stage: consuming StageRoot, label: String) throws(KernelError) {
    root = ContextRoot(try stage.duplicate(), label: label, keepsOwners: true)
    self.stage = consume stage
  }

  /// Copies sources with all that is below them.
  ///
  /// - Parameter target: the name of an entry below the writer's destination.
  func copy(
    _ source: ContextSource, excluding exclusions: IgnorePatterns, with writer: inout CopyWriter,
    to target: (ContextEntry) -> [UInt8]
  ) throws {
    // A walk knows no other errors than its own.
    var failure: KernelError?
    do {
      try root.walk(source, excluding: exclusions) { (entry) throws(ContextError) in
        do throws(KernelError) {
          try writer.copy(entry, to: target(entry))
        } catch {
          failure = error
          throw ContextError("\(error)")
        }
      }
    } catch {
      throw failure ?? error
    }
  }
}
