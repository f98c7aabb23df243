import Addresses
import Intent
import StackFiles
import Vocabulary

extension Resolver {
  static func furtherAddresses(of service: StackFile.Service, on network: String) -> [IPAddress] {
    service.attachments.filter { $0.network.value == network }.flatMap(\.furtherAddresses).map(\.value.address)
  }

  /// No network beside further addresses may have them, nor the subnets that they are in.
  func claimFurtherAddresses(_ allocator: inout AddressAllocator) {
    for service in file.services {
      let further = service.attachments.flatMap { attachment in
        let declared = file.networks[attachment.network.value]?.subnet?.value
        return attachment.furtherAddresses.map(\.value).filter { address in
          address.address.ipv4.map { declared?.contains($0) != true } ?? false
        }
      }
      for address in further + service.loopback.map(\.value) {
        if case .v4(let subnet) = address.network { allocator.claim(subnet, for: "a further address") }
      }
    }
  }

  mutating func checkLoopbacks(_ stack: DesiredStack) {
    guard !facts.hasIPv6 else { return }
    for service in stack.services {
      guard let address = service.loopback.first(where: { !$0.address.isV4 }) else { continue }
      errors.append(
        StackError(
          "\(stackName)/\(service.name)", "the loopback cannot have \(address): this kernel has no IPv6",
          remedy: "leave it out in \(service.declaredAt.map(\.description) ?? "the stack file"),"
            + " or boot without ipv6.disable=1"))
    }
  }
}

extension DesiredAddress {
  init(_ declared: StackFile.InterfaceAddress) {
    self.init(address: declared.address, length: declared.length, isLinkScoped: declared.isLinkScoped)
  }
}

extension IPAddress {
  /// nil for one of IPv6.
  var ipv4: IPv4Address? { if case .v4(let address) = self { address } else { nil } }
  /// nil for one of IPv4.
  var ipv6: IPv6Address? { if case .v6(let address) = self { address } else { nil } }
}
