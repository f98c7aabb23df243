import Glibc
import Isolation
import Kernel
import Resolve
import Runtime

extension IdentityFacts {
  /// Looks at this host.
  ///
  /// - Parameter paths: what services are to see of it; what is not there yet will be on its parent's file system.
  package static func observe(_ paths: Set<String>) -> IdentityFacts {
    var facts = IdentityFacts()
    facts.taken = hostIdentities()
    for path in paths {
      guard let id = stranger(path) else { continue }
      facts.strangers[path] = id
    }
    do {
      let probe = try IdentityProbe()
      facts.mapsTmpfs = try probe.canMapTmpfs()
      facts.unmappable = unmappable(paths, probe)
    } catch {
      facts.refusal = refusal(error)
    }
    return facts
  }

  /// The owner of a path, or its group, if no user namespace of a service has that id.
  private static func stranger(_ path: String) -> UInt32? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return [status.st_uid, status.st_gid].first { $0 >= IdentityRange.count }
  }

  // MARK: Ids of the host

  /// The ids in the host's own files: ranges that users may map (subuid(5)), users and groups.
  private static func hostIdentities() -> [ClosedRange<UInt32>] {
    ["/etc/subuid", "/etc/subgid"].flatMap { ranges(ofSubordinates: text(of: $0)) }
      + ["/etc/passwd", "/etc/group"].flatMap { ranges(ofAccounts: text(of: $0)) }
  }

  /// `name:first:count` (subuid(5)).
  static func ranges(ofSubordinates text: String) -> [ClosedRange<UInt32>] {
    text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count == 3, let first = UInt32(fields[1]), let count = UInt32(fields[2]), count > 0 else {
        return nil
      }
      let (last, overflows) = first.addingReportingOverflow(count - 1)
      return first...(overflows ? UInt32.max : last)
    }
  }

  /// The third field (passwd(5), group(5)).
  static func ranges(ofAccounts text: String) -> [ClosedRange<UInt32>] {
    text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count >= 3, let id = UInt32(fields[2]) else { return nil }
      return id...id
    }
  }

  private static func text(of path: String) -> String {
    String(decoding: (try? Files.read(path, limit: 16 << 20)) ?? [], as: UTF8.self)
  }

  // MARK: What the kernel can do

  private static func unmappable(_ paths: Set<String>, _ probe: borrowing IdentityProbe) -> [String: String] {
    var answers: [UInt64: Bool] = [:]
    var unmappable: [String: String] = [:]
    for path in paths {
      guard let (place, device) = existing(path) else { continue }
      let canMap = answers[device] ?? probe.canMap(place)
      answers[device] = canMap
      if !canMap, !IdentityProbe.showsKernel(place) { unmappable[path] = "is on a file system without idmapped mounts" }
    }
    return unmappable
  }

  /// The path, or what there is of the way to it, and the device that it is on.
  private static func existing(_ path: String) -> (path: String, device: UInt64)? {
    var path = path
    while true {
      var status = stat()
      if stat(path, &status) == 0 { return (path, UInt64(status.st_dev)) }
      guard let slash = path.lastIndex(of: "/"), path != "/" else { return nil }
      path = slash == path.startIndex ? "/" : String(path[..<slash])
    }
  }

  private static func refusal(_ error: KernelError) -> String {
    switch error.errno {
    case .noSpace: "user namespaces are switched off or used up (user.max_user_namespaces)"
    case .invalidArgument: "the kernel has no user namespaces (CONFIG_USER_NS)"
    case .notPermitted: "the kernel allows this process no user namespaces, as in a chroot"
    default: "\(error)"
    }
  }
}
