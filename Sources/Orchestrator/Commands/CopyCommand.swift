import Glibc
import Host
import Kernel
import Runtime
import Vocabulary

/// Copies files between the host and a running service.
package struct CopyCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  package struct Options: Sendable {
    /// True if the copies belong to whom the originals do, by number.
    package var keepsOwners = false
    /// True if a link that is the source stands for what it leads to.
    package var followsLink = false
    /// The number of the replica; nil for the first.
    package var replica: Int?

    package init() {}
  }

  /// One side of a copy: `web1:/etc/hosts`, `web/web1:/srv`, or a path of the host.
  private enum Side {
    case host(String)
    case service(String, path: String)

    /// The text before the first colon is a service, unless it looks like a path: `./a:b`.
    init(_ text: String) {
      guard let colon = text.firstIndex(of: ":"), colon > text.startIndex, !text.hasPrefix("."), !text.hasPrefix("/")
      else {
        self = .host(text)
        return
      }
      let path = String(text[text.index(after: colon)...])
      self = .service(String(text[..<colon]), path: path.hasPrefix("/") ? path : "/\(path)")
    }

    var path: String {
      switch self {
      case .host(let path), .service(_, let path): path
      }
    }

    /// The name of a copy in a folder. `.` for a path that ends in it: then the contents are copied.
    var name: String {
      let last = path.split(separator: "/").last.map(String.init) ?? "."
      return last == ".." || path.hasSuffix("/.") ? "." : last
    }
  }

  /// Copies files and folders between the host and a running service.
  ///
  /// - Returns: what was left out: devices, sockets, FIFOs, and files in which the kernel shows itself.
  package func run(
    _ source: String, to target: String, in stack: String?, _ options: Options = Options()
  ) throws(StackErrors) -> [String] {
    guard source != "-", target != "-" else {
      throw StackErrors([
        StackError(
          nil, "cannot copy to or from -: cp knows no tar streams",
          remedy: "run tar in the service (stack exec web1 tar -c /path), or write ./- for a file of that name")
      ])
    }
    let (from, to) = (Side(source), Side(target))
    switch (from, to) {
    case (.service(let service, let path), .host(let hostPath)):
      let (place, process) = try running(service, options.replica, in: stack)
      return try rethrowing("\(place.stack)/\(place.service)") { () throws(KernelError) in
        let root = try Container.root(of: process.process.pidfd)
        let first = Int64(try Self.owner(of: root).user)
        var copy = TreeCopy(leavesKernelFiles: true, ownerShift: options.keepsOwners ? -first : nil)
        let path = options.followsLink ? try TreeCopy.target(of: path, in: root, of: place.service) : path
        let source = try TreeCopy.Place(path, in: root, of: place.service)
        try copy.copy(
          source, to: TreeCopy.Place(onHost: hostPath, naming: from.name, isFolder: source.isFolder))
        return copy.omitted
      }
    case (.host(let hostPath), .service(let service, let path)):
      let (place, process) = try running(service, options.replica, in: stack)
      return try rethrowing("\(place.stack)/\(place.service)") { () throws(KernelError) in
        let root = try Container.root(of: process.process.pidfd)
        let owner = try Self.owner(of: root)
        var copy = TreeCopy(owner: owner, ownerShift: options.keepsOwners ? Int64(owner.user) : nil)
        let hostPath = options.followsLink ? Self.target(of: hostPath) : hostPath
        let source = try TreeCopy.Place(onHost: hostPath)
        try copy.copyAsOwner(
          source,
          to: TreeCopy.Place(path, in: root, of: place.service, naming: from.name, isFolder: source.isFolder))
        return copy.omitted
      }
    default:
      throw StackErrors([
        StackError(
          nil, "one of the two must be in a service, and the other on the host",
          remedy: "write the one in the service as web1:/path")
      ])
    }
  }

  /// The service's own root, as the host numbers it.
  private static func owner(of root: borrowing Descriptor) throws(KernelError) -> (user: UInt32, group: UInt32) {
    var status = stat()
    guard fstat(root.rawValue, &status) == 0 else {
      throw KernelError("look at", "the service's root", errno: .init(rawValue: errno))
    }
    return (status.st_uid, status.st_gid)
  }

  /// A path without links; the path itself where there is none.
  private static func target(of path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  private func running(
    _ service: String, _ replica: Int?, in stack: String?
  ) throws(StackErrors) -> (place: StackIndex.Place, process: ServiceProcess) {
    let place = try index.find(service, replica: replica, in: stack)
    let subject = "\(place.stack)/\(place.service)"
    let record = try rethrowing(subject) { () throws(KernelError) in
      try index.record(of: place.service, in: place.stack)
    }
    guard let process = record.process.flatMap({ ServiceProcess($0) }) else {
      throw StackErrors([StackError(subject, "is not running", remedy: "start it: stack start \(subject)")])
    }
    return (place, process)
  }
}
