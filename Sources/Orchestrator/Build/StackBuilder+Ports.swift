import Kernel
import Netlink

extension DesiredAttachment {
  /// What the bridge does at the service's port. It learns nothing there and takes in only frames from the service's own hardware
  /// address, also while there is no table that says so.
  ///
  /// - Parameter hairpins: whether a service that asks the host for its own published port gets it back by the port it came from.
  func bridgePort(hairpins: Bool) -> BridgePort {
    BridgePort(floods: false, suppressesNeighbours: true, learns: false, hairpins: hairpins, isLocked: true)
  }

  func forwardingEntry(behind link: UInt32) -> ForwardingEntry {
    var entry = ForwardingEntry(mac, behind: link)
    entry.isSticky = true
    return entry
  }
}
