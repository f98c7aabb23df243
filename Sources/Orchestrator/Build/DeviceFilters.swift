import Isolation
import Runtime
import Synchronization

/// Filters for devices, each loaded once.
final class DeviceFilters: Sendable {
  private let known = Mutex<[[DeviceRule]: DeviceFilter]>([:])

  func filter(_ rules: [DeviceRule]) -> DeviceFilter {
    known.withLock { known in
      if let filter = known[rules] { return filter }
      let filter = DeviceFilter(rules)
      // A refusal may be of this moment alone.
      if filter.isLoaded { known[rules] = filter }
      return filter
    }
  }
}
