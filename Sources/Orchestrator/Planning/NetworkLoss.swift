/// The parts of a stack's network that others have removed.
package struct NetworkLoss: Equatable, Sendable {
  /// Names of networks whose bridge is gone.
  package var networks: Set<String> = []
  /// Names of instances that lack a link to one of their networks.
  package var instances: Set<String> = []
  /// The fault of an existing bridge, by its network's name: `bridge web-front has no address 10.208.0.1/24`.
  package var faults: [String: String] = [:]
  /// The settings without which the host forwards nothing: `net.ipv4.ip_forward is 0`.
  package var settings: [String] = []
  /// The addresses and links that are missing inside instances, by their names: `no address 10.208.0.2/24 on eth0`.
  ///
  /// Only `up` restores them, since programs in the instance may have removed them on purpose.
  package var inside: [String: String] = [:]

  package init(networks: Set<String> = [], instances: Set<String> = []) {
    self.networks = networks
    self.instances = instances
  }

  /// The losses in words that can be repaired without touching a service.
  package var complaints: [String] { faults.sorted { $0.key < $1.key }.map(\.value) + settings }

  var isEmpty: Bool {
    networks.isEmpty && instances.isEmpty && faults.isEmpty && settings.isEmpty && inside.isEmpty
  }
}
