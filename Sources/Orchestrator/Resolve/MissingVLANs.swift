import Intent

/// The messages about a kernel whose bridges tell no VLANs apart.
package enum MissingVLANs {
  package static let absence =
    "this kernel has no VLANs on bridges (CONFIG_BRIDGE_VLAN_FILTERING, CONFIG_VLAN_8021Q)"

  /// The note of `up` on a kernel whose bridges tell no VLANs apart.
  package static func note(of stack: DesiredStack) -> String? {
    let divided = stack.networks.filter { !$0.vlans.isEmpty && !$0.filtersVLANs }
    guard !divided.isEmpty else { return nil }
    let names = divided.map(\.name).joined(separator: ", ")
    return "\(absence): each VLAN of \(names) has a bridge of its own"
  }
}
