extension StackChecks {
  /// Reports keys of an external network that only its own stack's file may set.
  func checkExternalNetworks() {
    for network in stack.networks {
      guard let external = network.external else { continue }
      let given: [(key: String, span: Span?)] = [
        ("subnet", network.subnet?.span), ("gateway", network.gateway?.span), ("ip_range", network.addressRange?.span),
        ("mtu", network.mtu?.span), ("host", network.host?.span),
      ]
      for (key, span) in given {
        guard let span else { continue }
        diagnostics.add(
          Diagnostic(
            .externalConflict, "\"\(key)\" is not for network \"\(network.name.value)\", which is another stack's",
            at: span, also: [Diagnostic.Label(external, "it is said here")],
            help: ["leave it out: the file of the stack that has the network says it"]))
      }
    }
  }
}
