/// Processors as cpuset(7) lists them: `0-3,6`.
public struct ProcessorList: Hashable, Sendable {
  public let numbers: Set<Int>

  /// Nil when it is no such list, or has numbers that no kernel takes (NR_CPUS is at most 8,192).
  public init?(_ text: String) {
    var numbers: Set<Int> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false)
      guard (1...2).contains(ends.count),
        ends.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
        let first = Int(ends[0]), let last = Int(ends[ends.count - 1]), first <= last, last < 8192
      else { return nil }
      numbers.formUnion(first...last)
    }
    self.numbers = numbers
  }
}
