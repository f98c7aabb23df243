extension StackChecks {
  /// Each interface of a service under a name of its own.
  func checkInterfaces() {
    let linked = Dictionary(grouping: stack.links.flatMap(\.ends)) { $0.service.value }
    for service in stack.services {
      var first: [String: Span] = [:]
      let names = service.attachments.map(\.interface) + (linked[service.name.value] ?? []).map(\.interface)
      let bridge = service.switching.map { own in own.map(\.interface) }
      for name in ([bridge] + names).compactMap(\.self) {
        guard let other = first.updateValue(name.span, forKey: name.value) else { continue }
        diagnostics.add(
          Diagnostic(
            .duplicateInterface, "two interfaces of service \"\(service.name.value)\" are called \"\(name.value)\"",
            at: name.span, "again here", also: [Diagnostic.Label(other, "first here")]))
      }
    }
  }
}
