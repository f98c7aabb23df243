import Glibc
import Kernel

/// The names of all links of a network namespace, without all else about them.
///
/// A dump of links (rtnetlink(7)) asks for each link in which namespace its peer is. The kernel looks through a list of all
/// namespaces for that, so a dump of 4,000 veths takes 16 million looks.
public enum LinkNames {
  /// The names that the calling thread's namespace has, from /proc/net/dev (proc_net(5)).
  public static func all() throws(KernelError) -> Set<String> {
    let path = "/proc/thread-self/net/dev"
    guard let table = try Files.read(path) else { throw KernelError("read", path, errno: .noSuchFileOrDirectory) }
    return parse(table)
  }

  /// The name of a link of the calling thread's namespace (if_indextoname(3)). `nil` when it has no such link.
  public static func name(of index: UInt32) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(IF_NAMESIZE)) { name in
      guard let start = name.baseAddress, if_indextoname(index, start) != nil else { return nil }
      return String(cString: start)
    }
  }

  /// The names in two lines of headings and a line for each link, where a colon ends the name. No name has a colon.
  static func parse(_ table: [UInt8]) -> Set<String> {
    var names: Set<String> = []
    for line in table.split(separator: UInt8(ascii: "\n")).dropFirst(2) {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
      names.insert(String(decoding: line[..<colon].drop { $0 == UInt8(ascii: " ") }, as: UTF8.self))
    }
    return names
  }
}
