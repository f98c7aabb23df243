import Glibc
import Host
import Intent
import Kernel
import Vocabulary

extension DownCommand {
  /// A network goes with its stack: nothing of another stack may be on it then.
  ///
  /// - Throws: who is on which network.
  func refuseWhileJoined(_ stack: String) throws(StackErrors) {
    var errors: [StackError] = []
    for other in index.names() where other != stack {
      let folder = folders.stack(other)
      let joined = try rethrowing(other) { () throws(KernelError) in
        var networks: Set<String> = []
        // A claim takes the record's name when it is accepted: in this order it is seen under one of them.
        for path in [folder.claim, folder.intent] {
          // Most stacks are on no network of others, and to read what a large one is takes a while.
          guard let text = try Files.read(path), Self.holds(text, "\"owner\":\"\(stack)\"") else { continue }
          let recorded = try StateFile<DesiredStack>(path: path).read()
          networks.formUnion((recorded?.networks ?? []).filter { $0.owner == stack }.map(\.bridge))
        }
        return networks.sorted()
      }
      guard !joined.isEmpty else { continue }
      errors.append(
        StackError(
          stack, "stack \(other) is on its network (\(joined.joined(separator: ", ")))",
          remedy: "take that down first: stack down \(other)"))
    }
    guard errors.isEmpty else { throw StackErrors(errors) }
  }

  private static func holds(_ text: [UInt8], _ words: String) -> Bool {
    (text + [0]).withUnsafeBytes { bytes in
      bytes.assumingMemoryBound(to: CChar.self).baseAddress.map { strstr($0, words) != nil } ?? false
    }
  }
}
