import Intent
import StackFiles
import Vocabulary

extension StackPolicy {
  init(_ file: StackFile) {
    self.init()
    rules = file.policies.map(\.desired)
    closedNetworks = file.networks.filter { $0.defaultAction == .deny }.map(\.name.value).sorted()
    expectations = file.expectations.map(\.desired)
    verification = file.verification.map { VerificationSettings(isLive: $0.isLive, settle: $0.settle) }
  }
}
