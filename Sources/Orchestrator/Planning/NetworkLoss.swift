/// The parts of a stack's network that others have removed.
package struct NetworkLoss: Equatable {
  /// Names of networks whose bridge is gone.
  package var networks: Set<String> = []
  /// Names of instances that lack a link to one of their networks.
  package var instances: Set<String> = []

  package init(networks: Set<String> = [], instances: Set<String> = []) {
    self.networks = networks
    self.instances = instances
  }

  var isEmpty: Bool { networks.isEmpty && instances.isEmpty }
}
