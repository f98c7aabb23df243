import Vocabulary

extension Field {
  /// `switch:` of a service: true, or a mapping.
  func switching() -> Located<StackFile.Switch>? {
    var read = StackFile.Switch()
    guard node.entries == nil else {
      Self.switchKeys.read(self, into: &read)
      return Located(read, key)
    }
    return boolean() == true ? Located(read, key) : nil
  }

  private static let switchKeys = KeyTable<StackFile.Switch>(
    "switch",
    [
      .read("stp", "true: the spanning tree protocol blocks ports that close a circle") { field, read in
        read.usesSpanningTree = field.boolean() ?? false
      },
      .read("interface_name", "the bridge's name inside; br0") { field, read in
        read.interface = field.interfaceName()?.value ?? read.interface
      },
    ])
}
