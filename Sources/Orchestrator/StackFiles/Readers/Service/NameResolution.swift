import Addresses
import DNS

extension Field {
  /// `dns:`, an address or a list of them.
  func nameServers() -> [Located<IPAddress>] {
    textOrTexts().compactMap { text in
      guard let address = IPAddress(text.value) else {
        report(
          .badAddress, "\"\(Self.shortened(text.value))\" is not an address", at: text.span,
          help: ["write the resolver's address, IPv4 or IPv6: 192.0.2.53"])
        return nil
      }
      return Located(address, text.span)
    }
  }

  /// `dns_search:`. A dot alone stands for no domains at all.
  func searchDomains() -> [Located<String>] {
    textOrTexts().filter { text in
      if text.value == "." { return false }
      let isFine = DNSName(text.value) != nil && text.value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
      if !isFine {
        report(
          .badDomain, "\"\(Self.shortened(text.value))\" is not a domain", at: text.span,
          help: ["write labels of at most 63 characters with dots between: example.com"])
      }
      return isFine
    }
  }

  /// `dns_opt:`, each as resolv.conf(5) has it.
  func resolverOptions() -> [Located<String>] {
    textOrTexts().filter { text in
      let parts = text.value.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let takesNumber = Self.numberedResolverOptions.contains(parts[0])
      guard takesNumber || Self.plainResolverOptions.contains(parts[0]) else {
        report(
          .badOption, "resolv.conf(5) has no option \"\(Self.shortened(parts[0]))\"",
          Suggestion.question(about: parts[0], among: Self.numberedResolverOptions + Self.plainResolverOptions),
          at: text.span)
        return false
      }
      guard takesNumber ? parts.count == 2 && Self.isSmallNumber(parts[1]) : parts.count == 1 else {
        report(
          .badOption, takesNumber ? "\"\(parts[0])\" needs a number" : "\"\(parts[0])\" takes no value", at: text.span,
          help: [takesNumber ? "write \(parts[0]):2" : "write \(parts[0])"])
        return false
      }
      return true
    }
  }

  private static func isSmallNumber(_ text: String) -> Bool {
    (1...2).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
  }

  private static let numberedResolverOptions = ["ndots", "timeout", "attempts"]
  private static let plainResolverOptions = [
    "debug", "rotate", "no-aaaa", "no-check-names", "inet6", "ip6-bytestring", "ip6-dotint", "no-ip6-dotint", "edns0",
    "single-request", "single-request-reopen", "no-tld-query", "use-vc", "no-reload", "trust-ad",
  ]
}
