/// The parts of a stack's network that others have removed.
package struct NetworkLoss: Equatable, Sendable {
  /// Names of networks whose bridge is gone.
  package var networks: Set<String> = []
  /// Names of instances that lack a link to one of their networks.
  package var instances: Set<String> = []
  /// What the bridge of a network lacks that is there, by the network's name: `bridge web-front has no address 10.208.0.1/24`.
  package var faults: [String: String] = [:]
  /// The settings without which the host forwards nothing: `net.ipv4.ip_forward is 0`.
  package var settings: [String] = []
  /// What instances lack inside, by their names: `no address 10.208.0.2/24 on eth0`. Programs in them may want it so.
  package var inside: [String: String] = [:]

  package init(networks: Set<String> = [], instances: Set<String> = []) {
    self.networks = networks
    self.instances = instances
  }

  /// What can be put back without touching a service, in words.
  package var complaints: [String] { faults.sorted { $0.key < $1.key }.map(\.value) + settings }

  var isEmpty: Bool {
    networks.isEmpty && instances.isEmpty && faults.isEmpty && settings.isEmpty && inside.isEmpty
  }
}
