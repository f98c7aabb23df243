import Vocabulary

extension Field {
  /// A name that the kernel takes for an interface (dev_valid_name), that it does not take for a pattern to put a number into
  /// (`%` in __dev_alloc_name), and that none of the service's own files under
  /// /proc/sys/net has already.
  func interfaceName() -> Located<String>? {
    guard let text = nonEmptyText() else { return nil }
    let bytes = Array(text.value.utf8)
    guard bytes.count <= InterfaceName.limit else {
      report(
        .badInterfaceName, "\"\(Self.shortened(text.value))\" cannot name an interface",
        "the kernel takes at most \(InterfaceName.limit) bytes", at: node.span(of: InterfaceName.limit..<bytes.count))
      return nil
    }
    let isFine = bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"/:%".utf8.contains($0) }
    guard isFine, ![".", ".."].contains(text.value) else {
      report(
        .badInterfaceName, "\"\(Self.shortened(text.value))\" cannot name an interface",
        help: ["write up to \(InterfaceName.limit) letters, digits and marks without / : % and spaces: eth0, lan.10"])
      return nil
    }
    guard !["lo", "all", "default"].contains(text.value) else {
      report(
        .badInterfaceName, "an interface cannot be called \"\(text.value)\"", "the kernel uses this name itself")
      return nil
    }
    return text
  }
}
