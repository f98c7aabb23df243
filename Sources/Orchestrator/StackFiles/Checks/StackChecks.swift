/// Checks that need all parts of a stack at once.
package struct StackChecks {
  package let stack: StackFile
  /// Services in the file, also those that could not be read.
  package let serviceNames: Set<String>
  package let diagnostics: DiagnosticList

  package init(stack: StackFile, serviceNames: Set<String>, diagnostics: DiagnosticList) {
    self.stack = stack
    self.serviceNames = serviceNames
    self.diagnostics = diagnostics
  }

  func run() {
    checkReferences()
    checkFiles()
    checkBuilds()
    checkDependencies()
    checkSubnets()
    checkAddresses()
    checkExternalNetworks()
    checkDrivers()
    checkNetworksWithoutHost()
    checkVLANs()
    checkInterfaces()
    checkLinks()
    checkSwitches()
    checkRoutes()
    checkWays()
    checkNetworkModes()
    checkIPv6()
    checkHostPorts()
    checkUserNamespaces()
    checkReplicas()
    checkRules()
  }

  /// Checks that depend on the number of replicas.
  package func checkReplicas() {
    checkNames()
    checkScale()
  }

  /// Services of disjoint profiles never run together unless both are asked for: what they share is no conflict.
  static func canRunTogether(_ left: StackFile.Service, _ right: StackFile.Service) -> Bool {
    left.profiles.isEmpty || right.profiles.isEmpty
      || !Set(left.profiles.map(\.value)).isDisjoint(with: right.profiles.map(\.value))
  }
}

extension StackChecks {
  func checkReferences() {
    for service in stack.services {
      for attachment in service.attachments where stack.networks[attachment.network.value] == nil {
        reportUndefined(attachment.network, by: service)
      }
      for mount in service.mounts {
        guard case .volume(let name) = mount.source, stack.volumes[name] == nil else { continue }
        reportUndefined(volume: name, mount, by: service)
      }
    }
  }

  private func reportUndefined(_ name: Located<String>, by service: StackFile.Service) {
    guard !diagnostics.isFull else { return }
    let declared = stack.networks.lazy.filter { !$0.isImplicit }.map(\.name.value)
    let meant = Suggestion.closest(to: name.value, among: declared)
    var diagnostic = Diagnostic(
      .undefinedNetwork, "service \"\(service.name.value)\" joins undefined network \"\(name.value)\"", at: name.span)
    if let meant, let network = stack.networks[meant] {
      diagnostic.primary?.text = "did you mean \"\(meant)\"?"
      diagnostic.secondary = [Diagnostic.Label(network.name.span, "\"\(meant)\" is declared here")]
    } else {
      diagnostic.help = ["declare it: `networks: {\(name.value): {}}`"]
    }
    diagnostics.add(diagnostic)
  }

  private func reportUndefined(volume name: String, _ mount: StackFile.Mount, by service: StackFile.Service) {
    guard !diagnostics.isFull else { return }
    let meant = Suggestion.closest(to: name, among: stack.volumes.lazy.map(\.name.value))
    var diagnostic = Diagnostic(
      .undefinedVolume, "service \"\(service.name.value)\" mounts undefined volume \"\(name)\"", at: mount.span)
    if let meant, let volume = stack.volumes[meant] {
      diagnostic.primary?.text = "did you mean \"\(meant)\"?"
      diagnostic.secondary = [Diagnostic.Label(volume.name.span, "\"\(meant)\" is declared here")]
    } else {
      diagnostic.help = ["declare it: `volumes: {\(name): {}}`; for a folder write \"./\(name)\""]
    }
    diagnostics.add(diagnostic)
  }
}
