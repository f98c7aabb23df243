extension DesiredRoute {
  /// The origin of the routes (rtm_protocol), a number that rtnetlink.h leaves to programs. It tells them from those of
  /// a routing daemon in the service.
  package static let origin: UInt8 = 115
}
