extension DesiredRoute {
  /// By whom the kernel is told that the routes are made (rtm_protocol, of those that rtnetlink.h leaves to programs), so
  /// that they are told apart from those of a routing daemon in the service.
  package static let origin: UInt8 = 115
}
