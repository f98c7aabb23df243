import Glibc
import Images
import Kernel

/// A pull in one line: `12.3 of 150 MB`.
struct PullProgress {
  private var layers: [String: (bytes: Int64, size: Int64)] = [:]
  private var told = 0.0
  private static let pause = 0.2

  /// - Returns: what to tell now; nil when nothing is new, or not yet.
  mutating func take(_ event: PullEvent) -> String? {
    guard let layer = event.layer else { return nil }
    switch event.state {
    case .downloading: layers[layer] = (event.bytes, event.size)
    case .unpacking, .done: layers[layer] = (event.size, event.size)
    case .waiting, .present, .retrying: return nil
    }
    let now = Self.now
    guard now - told >= Self.pause else { return nil }
    told = now
    let (bytes, size) = layers.values.reduce((0, 0)) { ($0.0 + $1.bytes, $0.1 + $1.size) }
    return "\(Self.megabytes(bytes)) of \(Self.megabytes(size)) MB"
  }

  private static func megabytes(_ bytes: Int64) -> String {
    let tenths = (bytes + 50_000) / 100_000
    return tenths >= 1000 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
  }

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
