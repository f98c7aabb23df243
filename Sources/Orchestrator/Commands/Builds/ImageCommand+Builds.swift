import Glibc
import ImageStore
import Images
import Kernel
import Vocabulary

extension ImageCommand {
  /// The results of steps are kept for later builds, as long as some build uses them within this time: two weeks.
  static let buildAge: time_t = 14 * 86400

  /// Takes away what steps of builds have made and no image needs, and the caches of RUN steps.
  ///
  /// - Parameters:
  ///   - age: seconds since it was used. Nil: all.
  ///   - onWait: called where a build or a pull has the store, whose end is waited for.
  /// - Returns: bytes that are free again.
  package func pruneBuilds(olderThan age: Int64?, onWait: () -> Void) throws(StackErrors) -> Int64 {
    BuildPlaces.removeLeftovers(context)
    let lock = try rethrowing(nil) { () throws(KernelError) in
      try images.store.lock(.exclusive) {
        onWait()
        return true
      }
    }
    defer { withExtendedLifetime(lock) {} }
    return try rethrowing(nil) { () throws(KernelError) in
      let store = images.store
      try store.prepareBuilds()
      try store.removeLeftovers(now: time(nil))
      let moment = age.map { time(nil) - time_t($0) } ?? .max
      _ = store.keepBuilds(since: moment)
      let caches = try store.removeCaches(before: moment)
      let removal = try store.collect(keeping: Set(store.images().map(\.manifest)), layers: layersInUse())
      return caches + removal.bytes
    }
  }
}
