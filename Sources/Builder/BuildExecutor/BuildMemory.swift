import BuildContext
import BuildIgnore
import Kernel
import Synchronization

/// The digests of files of contexts that are remembered from build to build.
package final class BuildMemory: Sendable {
  private let path: String
  private let memory = Mutex<DigestMemory?>(nil)

  /// - Parameter path: a file, which need not be there.
  package init(_ path: String) { self.path = path }

  func digest(
    of sources: [ContextSource], in root: ContextRoot, excluding exclusions: IgnorePatterns
  ) throws -> SelectionDigest {
    try memory.withLock { memory in
      var known = memory ?? read()
      defer { memory = known }
      // Two owners of the same table would have it copied.
      memory = nil
      return try root.digest(of: sources, excluding: exclusions, &known)
    }
  }

  private func read() -> DigestMemory {
    guard let bytes = try? Files.read(path, limit: 64 << 20) else { return DigestMemory() }
    return DigestMemory(bytes)
  }

  /// Keeps what was learnt, which only saves time.
  package func save() {
    memory.withLock { memory in
      guard let known = memory, known.isChanged, let bytes = known.encoded() else { return }
      try? Files.replace(path, with: bytes)
    }
  }
}
