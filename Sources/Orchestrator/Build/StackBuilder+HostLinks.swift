import Glibc
import Host
import Intent
import Kernel
import Netlink
import SystemPackage

/// Cables that end at a link of the host.
extension StackBuilder {
  /// Gives a service all frames of a link of the host. The link keeps its name, addresses and routes, and loses nothing when
  /// the service's namespace goes.
  func plug(_ link: DesiredLink, into hostLink: HostLink) throws(KernelError) {
    let namespace = try namespace(of: link.first.service)
    var inner = try NetlinkSocket(.route, in: namespace.descriptor)
    let found = try inner.link(named: link.first.interface)
    if found?.alias != link.alias(in: stack) {
      var host = try NetlinkSocket(.route)
      guard let parent = try host.link(named: hostLink.name)?.index else {
        throw KernelError("find link", "\(hostLink.name) of the host", errno: Errno(rawValue: ENODEV))
      }
      var macvlan = Macvlan(link.first.interface, on: parent, in: namespace.descriptor.fileDescriptor)
      (macvlan.mode, macvlan.mtu) = (.passthru, link.mtu)
      var batch = RouteBatch()
      batch.create(macvlan)
      try host.apply(batch)
    }
    try setFlags(of: hostLink.name, isUp: true, usesARP: false)
    try setUp(link.first, of: link, isUp: !link.isSetDown, &inner, namespace)
  }

  /// Gives the link back as it was. A link that was never up before keeps the queue (`qdisc` in ip-link(8)) that the
  /// kernel made when it first came up.
  func release(_ hostLink: HostLink) throws(KernelError) {
    guard !hostLink.wasUp else { return try setFlags(of: hostLink.name, isUp: true, usesARP: hostLink.usedARP) }
    try keepingAddresses(of: hostLink) { () throws(KernelError) in
      try setFlags(of: hostLink.name, isUp: false, usesARP: hostLink.usedARP)
    }
  }

  /// The kernel takes a link's IPv6 addresses away as it goes down, unless `keep_addr_on_down` is set
  /// (Documentation/networking/ip-sysctl.rst). Link-local addresses go anyway.
  private func keepingAddresses(of hostLink: HostLink, _ body: () throws(KernelError) -> Void) throws(KernelError) {
    let setting = hostLink.keepSetting
    guard let before = try Files.read("/proc/sys/\(setting)") else { return try body() }
    try Files.set("/proc/sys/\(setting)", to: "1")
    defer { try? Files.set("/proc/sys/\(setting)", to: String(decoding: before, as: UTF8.self)) }
    try body()
  }

  /// The host answers no ARP there meanwhile: it sees the requests too. A link that has gone has nothing to set.
  private func setFlags(of name: String, isUp: Bool, usesARP: Bool) throws(KernelError) {
    var host = try NetlinkSocket(.route)
    guard let link = try host.link(named: name) else { return }
    var change = LinkChange(.index(link.index))
    change.usesARP = usesARP
    if link.isUp != isUp { change.isUp = isUp }
    var batch = RouteBatch()
    batch.change(change)
    try host.apply(batch)
  }
}
