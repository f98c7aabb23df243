import BuildIgnore
import Glibc
import Kernel
import SystemPackage

/// Follows a path from a context's root, links too, as a process would whose root that is.
struct PathResolver {
  /// A folder on the way.
  private final class Step {
    let name: [UInt8]
    let descriptor: Descriptor
    let status: EntryStatus
    let verdict: IgnorePatterns.Verdict

    init(
      _ name: [UInt8], _ descriptor: consuming Descriptor, _ status: EntryStatus, _ verdict: IgnorePatterns.Verdict
    ) {
      self.name = name
      self.descriptor = descriptor
      (self.status, self.verdict) = (status, verdict)
    }
  }

  private let root: ContextRoot
  private var steps: [Step] = []
  /// Names that are still to be followed, the next one last.
  private var waiting: [[UInt8]] = []
  private var linkCount = 0

  /// As many as the kernel follows (path_resolution(7)).
  private static let mostLinks = 40

  init(_ root: ContextRoot) { self.root = root }

  /// - Parameter written: As it stands in the instruction.
  /// - Throws: that nothing is there, that `.dockerignore` leaves it out, or what the kernel refused.
  mutating func resolve(_ written: [UInt8]) throws(ContextError) -> ContextSource {
    waiting = ContextPath.parts(written).reversed()
    while let name = waiting.popLast() {
      if name.elementsEqual(".".utf8) { continue }
      if name.elementsEqual("..".utf8) {
        _ = steps.popLast()
        continue
      }
      try enter(name, written)
    }
    let status: EntryStatus
    if let last = steps.last {
      status = last.status
    } else {
      status = try rootStatus()
    }
    return ContextSource(
      path: path, name: ContextPath.parts(written).last ?? [], status: status,
      verdict: steps.last?.verdict ?? root.patterns.root)
  }

  private var path: [UInt8] { Array(steps.map(\.name).joined(separator: [ContextPath.slash])) }

  private var folder: FileDescriptor { steps.last?.descriptor.fileDescriptor ?? root.descriptor.fileDescriptor }

  private func rootStatus() throws(ContextError) -> EntryStatus {
    var status = stat()
    guard fstat(root.descriptor.rawValue, &status) == 0 else { throw ContextError("look at", [], .last) }
    return EntryStatus(status)
  }

  private mutating func enter(_ name: [UInt8], _ written: [UInt8]) throws(ContextError) {
    let here = ContextPath.joined(path, name)
    if let last = steps.last, last.status.kind != .folder {
      throw ContextError("\(ContextPath.shown(path)) is no folder, so it holds no \(ContextPath.shown(name))")
    }
    let number = openat(folder.rawValue, ContextPath.cString(name), OpenFlag.path | O_NOFOLLOW | O_CLOEXEC)
    guard number >= 0 else {
      let error = Errno.last
      guard error == .noSuchFileOrDirectory else { throw ContextError("open", here, error) }
      throw missing(here, name, written)
    }
    let descriptor = Descriptor(adopting: number)
    var found = stat()
    guard fstat(number, &found) == 0 else { throw ContextError("look at", here, .last) }
    let status = EntryStatus(found)
    let verdict = root.patterns.verdict(here, below: steps.last?.verdict ?? root.patterns.root)
    if verdict.isExcluded, status.kind != .folder || !root.patterns.mayReturn(below: here) {
      throw excluded(here, verdict)
    }
    guard status.kind == .link else {
      steps.append(Step(name, descriptor, status, verdict))
      return
    }
    try follow(descriptor, here)
  }

  private mutating func follow(_ link: borrowing Descriptor, _ path: [UInt8]) throws(ContextError) {
    linkCount += 1
    guard linkCount <= Self.mostLinks else {
      throw ContextError("\(ContextPath.shown(path)) is a link that leads through too many others, or in a circle")
    }
    var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlinkat(link.rawValue, "", &target, target.count)
    guard count >= 0 else { throw ContextError("read the link", path, .last) }
    let bytes = target.prefix(count).map(UInt8.init(bitPattern:))
    if bytes.first == ContextPath.slash { steps = [] }
    waiting += bytes.split(separator: ContextPath.slash).map(Array.init).reversed()
  }

  // MARK: - Errors

  private func missing(_ path: [UInt8], _ name: [UInt8], _ written: [UInt8]) -> ContextError {
    let names = (try? FolderEntry.all(in: folder)) ?? []
    let near = Self.near(String(decoding: name, as: UTF8.self), names.map(\.text))
    let through =
      linkCount == 0
      ? "" : "; a link on the way leads to \(ContextPath.shown(path))"
    return ContextError(
      "there is no \(ContextPath.shown(written)) in \(root.label)\(through)",
      remedy: near.map { "did you mean \"\($0)\"?" }
        ?? "paths start at the context's folder, wherever the Dockerfile is")
  }

  /// The name that differs in case, or in one letter.
  private static func near(_ name: String, _ others: [String]) -> String? {
    others.sorted().first { $0.lowercased() == name.lowercased() }
      ?? others.sorted().first { other in
        let (mine, theirs) = (Array(name.utf8), Array(other.utf8))
        guard abs(mine.count - theirs.count) <= 1, mine.count > 2 else { return false }
        let head = zip(mine, theirs).prefix { $0 == $1 }.count
        let tail = zip(mine.reversed(), theirs.reversed()).prefix { $0 == $1 }.count
        return head + tail >= max(mine.count, theirs.count) - 1
      }
  }

  private func excluded(_ path: [UInt8], _ verdict: IgnorePatterns.Verdict) -> ContextError {
    let pattern = verdict.decider.map { root.patterns.patterns[$0] }
    let place = pattern.map { pattern in
      " by \"\(pattern.text)\"" + (pattern.span.map { " (\($0.place))" } ?? "")
    }
    return ContextError(
      "\(ContextPath.shown(path)) is left out of the context\(place ?? "")",
      remedy: "take it back in with a later line: !\(String(decoding: path, as: UTF8.self))")
  }
}
