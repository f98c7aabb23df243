import Glibc
import Isolation
import Kernel

extension Program {
  /// Raises what is beyond the caller's own, while there is still the right to.
  mutating func raise(_ limits: [ProcessLimit]) throws(KernelError) {
    for limit in limits {
      var own = rlimit()
      let kind = __rlimit_resource_t(UInt32(limit.kind.number))
      try check("read the ulimit", limit.kind.rawValue) { getrlimit(kind, &own) }
      if UInt64(own.rlim_max) >= limit.hard { continue }
      setLimit(
        limit.kind.number, rlimit(rlim_cur: own.rlim_cur, rlim_max: rlim_t(limit.hard)), for: "raise the ulimit",
        "\(limit.kind.rawValue) beyond the \(own.rlim_max) that stack itself may have")
    }
  }

  mutating func limit(_ limits: [ProcessLimit]) {
    for limit in limits {
      setLimit(
        limit.kind.number, rlimit(rlim_cur: rlim_t(limit.soft), rlim_max: rlim_t(limit.hard)), for: "set the ulimit",
        "\(limit.kind.rawValue) to \(limit.soft):\(limit.hard)")
    }
  }
}
