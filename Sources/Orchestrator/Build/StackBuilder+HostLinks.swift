import Glibc
import Host
import Intent
import Kernel
import Netlink
import Runtime
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
    try restoreMulticast(of: hostLink)
    guard !hostLink.wasUp else { return try setFlags(of: hostLink.name, isUp: true, usesARP: hostLink.usedARP) }
    try keepingAddresses(of: hostLink) { () throws(KernelError) in
      try setFlags(of: hostLink.name, isUp: false, usesARP: hostLink.usedARP)
    }
  }

  /// Puts back how many want frames to all multicast groups.
  ///
  /// A macvlan interface that takes all such frames raises its link's count by one. In mode passthru, the kernel forgets to
  /// lower it again when the interface goes down or away (macvlan_stop in drivers/net/macvlan.c), and likewise to raise it when
  /// one comes up (macvlan_open). So a service can leave any count, and an interface of our own takes it back. Each
  /// step costs the kernel an RCU grace period, so only so many are taken. A count below zero stays: the kernel raises none
  /// to zero (netif_set_allmulti).
  private func restoreMulticast(of hostLink: HostLink) throws(KernelError) {
    var host = try NetlinkSocket(.route)
    guard let before = hostLink.allMulticast, let link = try host.link(named: hostLink.name),
      let found = link.allMulticast, found != before, Int32(bitPattern: found) >= 0
    else { return }
    let surplus = Int64(found) - Int64(before)
    let namespace = try NetworkNamespace.create(loopbackUp: false, disablesIPv6: true)
    let name = "restore"
    var macvlan = Macvlan(name, on: link.index, in: namespace.descriptor.fileDescriptor)
    macvlan.mode = .passthru
    var batch = RouteBatch()
    batch.create(macvlan)
    try host.apply(batch)
    var inner = try NetlinkSocket(.route, in: namespace.descriptor)
    batch.removeAll()
    func change(isUp: Bool? = nil, takesAllMulticast: Bool? = nil) {
      var change = LinkChange(.name(name))
      (change.isUp, change.takesAllMulticast) = (isUp, takesAllMulticast)
      batch.change(change)
    }
    // A change counts while the interface is up, and does not while it is down.
    for _ in 0..<min(Int(surplus.magnitude), Self.mostRestored) {
      if surplus > 0 { change(takesAllMulticast: true) }
      change(isUp: true)
      change(takesAllMulticast: surplus < 0)
      change(isUp: false)
      if surplus < 0 { change(takesAllMulticast: false) }
    }
    batch.delete(.name(name))
    try inner.apply(batch)
  }

  /// About six seconds' worth.
  private static let mostRestored = 512

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
