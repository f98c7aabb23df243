import Vocabulary

extension Field {
  /// A network of the stack's own has a name like any other; another stack's may be named with its stack: `web/front`.
  func checkGivenName(of network: StackFile.Network) {
    guard let name = network.givenName else { return }
    guard network.external != nil, name.value.contains("/") else {
      checkName(name, .object, of: "network")
      return
    }
    let parts = name.value.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    if checkName(Located(parts[0], name.span), .stack, of: "stack") {
      checkName(Located(parts[1], name.span), .object, of: "network")
    }
  }
}
