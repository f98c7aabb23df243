import Addresses
import Kernel
import Resolve
import StackFiles
import Vocabulary

/// The settings for all stacks of a host: from /etc/stack/config, and over them those of the environment.
///
///     # /etc/stack/config
///     pool = 10.208.0.0/12, 192.168.128.0/17
package struct HostConfiguration: Hashable {
  /// The pools that new subnets come from, in the order in which they are tried.
  package var pools = AddressAllocator.defaultPools

  private static let variable = "STACK_POOL"

  /// - Parameter path: a file that need not be there.
  package static func read(_ path: String, environment: [String: String]) throws(StackErrors) -> HostConfiguration {
    let bytes = try rethrowing(nil) { () throws(KernelError) in try Files.read(path, limit: 1 << 16) ?? [] }
    return try HostConfiguration(text: String(decoding: bytes, as: UTF8.self), path: path, environment: environment)
  }

  init(text: String, path: String, environment: [String: String] = [:]) throws(StackErrors) {
    var errors: [StackError] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let bare = Self.trimmed(line.prefix { $0 != "#" })
      guard !bare.isEmpty else { continue }
      let place = "\(path):\(index + 1)"
      let parts = bare.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(Self.trimmed)
      guard parts.count == 2 else {
        errors.append(
          StackError(place, "\"\(bare)\" is not a setting", remedy: "write a name and a value: pool = 10.208.0.0/12"))
        continue
      }
      guard parts[0] == "pool" else {
        let question = Suggestion.closest(to: parts[0], among: ["pool"]).map { "did you mean \"\($0)\"?" }
        errors.append(StackError(place, "there is no setting \"\(parts[0])\"", remedy: question ?? "there is: pool"))
        continue
      }
      setPools(parts[1], place, &errors)
    }
    if let text = environment[Self.variable], !text.isEmpty { setPools(text, Self.variable, &errors) }
    guard errors.isEmpty else { throw StackErrors(errors) }
  }

  private mutating func setPools(_ text: String, _ place: String, _ errors: inout [StackError]) {
    let words = text.split { $0 == "," || $0 == " " || $0 == "\t" }.map(String.init)
    let read = words.compactMap { word -> IPv4Prefix? in
      guard let prefix = IPv4Prefix(word), (8...30).contains(prefix.length) else {
        errors.append(
          StackError(
            place, "\"\(word)\" is no pool of addresses", remedy: "write a subnet of length 8 to 30: 10.208.0.0/12"))
        return nil
      }
      return prefix
    }
    if words.isEmpty { errors.append(StackError(place, "there is no pool", remedy: "write a subnet: 10.208.0.0/12")) }
    if !read.isEmpty { pools = read }
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    let start = text.drop(while: \.isWhitespace)
    return String(start.reversed().drop(while: \.isWhitespace).reversed())
  }
}
