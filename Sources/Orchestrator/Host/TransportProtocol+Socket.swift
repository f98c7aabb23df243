import Intent
import Netlink

extension TransportProtocol {
  package init(_ transport: BoundSocket.Transport) {
    switch transport {
    case .tcp: self = .tcp
    case .udp: self = .udp
    }
  }
}
