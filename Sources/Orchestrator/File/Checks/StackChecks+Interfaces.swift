extension StackChecks {
  /// Each interface of a service under a name of its own.
  func checkInterfaces() {
    for service in stack.services {
      var first: [String: Span] = [:]
      for name in service.attachments.compactMap(\.interface) {
        guard let other = first.updateValue(name.span, forKey: name.value) else { continue }
        diagnostics.add(
          Diagnostic(
            .duplicateInterface, "two interfaces of service \"\(service.name.value)\" are called \"\(name.value)\"",
            at: name.span, "again here", also: [Diagnostic.Label(other, "first here")]))
      }
    }
  }
}
