import Intent
import Netlink

extension DesiredAttachment {
  /// The bridge's settings of the service's port. The bridge learns nothing there, and accepts only frames from the service's
  /// own hardware address, even without a table. Where `claims:` lets addresses move, the bridge learns their places.
  ///
  /// - Parameter hairpins: whether a service that asks the host for its own published port gets it back by the port it came from.
  package func bridgePort(hairpins: Bool) -> BridgePort {
    let moves = claims?.moves ?? false
    return BridgePort(
      floods: claims?.bridges ?? false, suppressesNeighbours: true, learns: moves, hairpins: hairpins, isLocked: !moves)
  }
}
