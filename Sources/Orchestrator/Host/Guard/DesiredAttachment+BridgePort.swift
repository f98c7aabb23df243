import Intent
import Netlink

extension DesiredAttachment {
  /// What the bridge does at the service's port. It learns nothing there and takes in only frames from the service's own hardware
  /// address, also while there is no table that says so. Where the file lets addresses move, it has to see where they are.
  ///
  /// - Parameter hairpins: whether a service that asks the host for its own published port gets it back by the port it came from.
  package func bridgePort(hairpins: Bool) -> BridgePort {
    let moves = claims?.moves ?? false
    return BridgePort(
      floods: claims?.bridges ?? false, suppressesNeighbours: true, learns: moves, hairpins: hairpins, isLocked: !moves)
  }
}
