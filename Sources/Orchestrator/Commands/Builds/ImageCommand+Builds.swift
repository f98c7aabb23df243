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
  /// - Parameter age: seconds since it was used. Nil: all.
  /// - Returns: bytes that are free again.
  package func pruneBuilds(olderThan age: Int64?) throws(StackErrors) -> Int64 {
    BuildPlaces.removeLeftovers(context)
    let lock = try rethrowing(nil) { () throws(KernelError) in try images.store.lock(.exclusive) }
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

  /// The steps that builds keep, and the bytes that these have on disk and no image has.
  package struct BuildUsage: Sendable, Hashable {
    package var steps: Int
    package var layers: Int64
    package var caches: Int64
  }

  package func buildUsage() -> BuildUsage {
    let store = images.store
    let usage = store.buildUsage()
    let others = Set(store.images().flatMap { $0.layers.compactMap { store.number(of: $0.chain) } })
    return BuildUsage(
      steps: usage.steps, layers: usage.layers.filter { !others.contains($0.key) }.reduce(0) { $0 + $1.value },
      caches: usage.caches)
  }
}
