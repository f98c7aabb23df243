import Isolation
import Kernel
import Runtime
import SystemPackage

/// The surroundings of RUN steps: ids of their own, a network as a service's, and a control group.
package final class StepPlace: Sendable {
  /// The users of its steps.
  let users: UserNamespace
  /// Owned by the users; nil for the host's.
  let network: NetworkNamespace?
  /// Shown at /etc/hosts.
  let hosts: String
  /// Shown at /etc/resolv.conf.
  let resolver: String
  /// Made anew for each step.
  let group: ControlGroup

  package init(
    users: consuming UserNamespace, network: consuming NetworkNamespace?, hosts: String, resolver: String,
    group: ControlGroup
  ) {
    self.users = users
    self.network = network
    (self.hosts, self.resolver, self.group) = (hosts, resolver, group)
  }

  var networkNumber: FileDescriptor? {
    switch network {
    case .some(let network): network.descriptor.fileDescriptor
    case .none: nil
    }
  }
}

/// The network of a RUN step.
package enum StepNetwork: Hashable, Sendable {
  /// A network of the build's own, from which the world can be reached.
  case standard
  case none
  case host
  /// A network of a stack that is up.
  case named(String)
}

/// Makes the surroundings of RUN steps when the first step wants them.
package protocol StepPlaces: Sendable {
  /// - Parameter lane: steps of one lane run one after the other; those of others run beside it.
  func place(for network: StepNetwork, lane: Int) throws -> StepPlace
  func launcher() throws(KernelError) -> StepLauncher
  /// The privileges of every step.
  func confinement() throws(KernelError) -> Confinement
  /// - Returns: what is to be said about the host.
  func close() -> [String]
}
