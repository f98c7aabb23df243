/// What others have taken away of what a stack had made.
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
