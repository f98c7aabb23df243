import Intent
import StackFiles
import Vocabulary

extension StackPolicy {
  init(_ file: StackFile) {
    self.init()
    rules = file.policies.map(\.desired)
    rules += file.networks.filter(\.isolatesServices).map { network in
      PolicyRule(.deny, from: [.network(network.name.value)], to: [.network(network.name.value)])
    }
    closedNetworks = file.networks.filter { $0.defaultAction == .deny }.map(\.name.value).sorted()
    expectations = file.expectations.map(\.desired)
    verification = file.verification.map { VerificationSettings(isLive: $0.isLive, settle: $0.settle) }
  }
}
