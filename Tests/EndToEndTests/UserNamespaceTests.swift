import Foundation
import Testing

/// Root of a service is nobody outside, and files keep their owners.
@Suite struct UserNamespaceTests {
  /// The first id of a service's users, as the kernel tells a process of the host.
  private func firstIdentity(of service: String, _ host: ThrowawayHost) throws -> UInt32 {
    let pid: Int = try host.field("PID", of: service)
    let map = try host.succeed("cat", "/proc/\(pid)/uid_map").split(whereSeparator: \.isWhitespace)
    guard map.count == 3, map[0] == "0", let first = UInt32(map[1]), let count = UInt64(map[2]) else { return .max }
    return first == 0 || count == 65536 ? first : .max
  }

  private func namespaces(of service: String, _ host: ThrowawayHost) throws -> [String] {
    let pid: Int = try host.field("PID", of: service)
    return try ["user", "net"].map { try host.succeed("readlink", "/proc/\(pid)/ns/\($0)") }
  }

  @Test func webStackAsItStands() throws {
    try ThrowawayHost.with { host in
      try host.succeed("stack", "up", Repository.stackFile("web.stack"))
      var found: Set<UInt32> = []
      for service in ["web1", "web2", "web3"] {
        let first = try firstIdentity(of: service, host)
        #expect(first >= 524_288 && first <= 1_878_982_656, "\(first)")
        #expect(found.insert(first).inserted, "two services share their users")
        let inside = try host.succeed("stack", "exec", service, "cat", "/proc/self/uid_map", "/proc/self/gid_map")
        #expect(
          inside.split(whereSeparator: \.isWhitespace).map(String.init) == [
            "0", "\(first)", "65536", "0", "\(first)", "65536",
          ])
        let pid: Int = try host.field("PID", of: service)
        let status = try host.succeed("cat", "/proc/\(pid)/status")
        #expect(status.contains("Uid:\t\(first)\t\(first)\t\(first)\t\(first)"))
        // The same as by default without it.
        #expect(status.contains("CapEff:\t00000000800425fb") && status.contains("Seccomp:\t2"))
        #expect(
          try host.succeed("stack", "exec", service, "stat", "-c", "%u:%g", "/", "/etc/passwd", "/usr/bin").contains(
            "65534") == false)
      }
      #expect(try host.succeed("stack", "exec", "web1", "id", "-u") == "0")
    }
  }

  @Test func filesKeepTheirOwnersOnDisk() throws {
    try ThrowawayHost.with { host in
      try host.succeed(
        "sh", "-c", "mkdir -p bound root && chown 7:7 bound && cp /usr/bin/busybox root/ && chmod 755 root")
      try host.up(
        """
        name: x
        services:
          a:
            command: [sh, -c, "touch /data/root /bound/root; chown 33:34 /data/root; stat -c %u:%g /bound; exec sleep infinity"]
            volumes: ["data:/data", "./bound:/bound", "/anonymous"]
          direct:
            rootfs: {path: ./root, mode: direct}
            command: [/busybox, sh, -c, "/busybox touch /made; exec /busybox sleep 1000"]
            user: "0:5"
        volumes: {data: {}}

        """, named: "x")
      #expect(try host.eventually(within: .seconds(20)) { try host.run("test", "-e", "root/made").status == 0 })
      let owners = try host.succeed(
        "stat", "-c", "%u:%g", "/var/lib/stack/x/volumes/data/root", "bound/root", "bound", "root/made")
      #expect(owners == "33:34\n0:0\n7:7\n0:5")
      #expect(try host.succeed("stack", "exec", "a", "touch", "/anonymous/x").isEmpty)
      // Also where the next one has other ids outside.
      try host.succeed("stack", "down", "x")
      try host.up(
        "name: y\nservices: {a: {command: [sleep, infinity], volumes: ['./bound:/bound']}}\n", named: "y")
      #expect(try host.succeed("stack", "exec", "a", "stat", "-c", "%u:%g", "/bound/root", "/bound") == "0:0\n7:7")
    }
  }

  @Test func restartsKeepNamespacesAndUsers() throws {
    try ThrowawayHost.with { host in
      let before = try host.succeed("sh", "-c", "ls /run/netns 2>/dev/null; cat /proc/self/mountinfo | wc -l")
      try host.up(
        "name: x\nservices: {a: {command: [sh, -c, 'echo kept > /kept; exec sleep infinity']}}\n", named: "x")
      let (first, namespaces) = (try firstIdentity(of: "a", host), try namespaces(of: "a", host))
      try host.succeed("stack", "restart", "a")
      #expect(try firstIdentity(of: "a", host) == first)
      #expect(try self.namespaces(of: "a", host) == namespaces)
      try host.killSupervisors()
      try host.succeed("stack", "stop", "x/a")
      try host.succeed("stack", "start", "x/a")
      #expect(try self.namespaces(of: "a", host) == namespaces)
      #expect(try host.succeed("stack", "exec", "a", "stat", "-c", "%u:%g", "/kept") == "0:0")
      try host.succeed("stack", "down", "x")
      #expect(try host.succeed("sh", "-c", "ls /run/netns 2>/dev/null; cat /proc/self/mountinfo | wc -l") == before)
    }
  }

  /// Rights end where its users do: with all of them, and none of the other defences, root inside is not the host's root.
  @Test func allRightsAreNotTheHosts() throws {
    try ThrowawayHost.with { host in
      let rights = "cap_add: [ALL], security_opt: ['seccomp:unconfined', 'no-new-privileges:false']"
      try host.up(
        """
        name: x
        services:
          own: {command: [sleep, infinity], \(rights)}
          host: {command: [sleep, infinity], userns_mode: host, \(rights)}
          privileged: {command: [sleep, infinity], privileged: true}

        """, named: "x")
      #expect(try firstIdentity(of: "own", host) > 0)
      #expect(try firstIdentity(of: "host", host) == 0)
      #expect(try firstIdentity(of: "privileged", host) == 0)
      for attempt in [
        "mknod /tmp/full c 1 7", "umount /proc/interrupts", "mount -o remount,bind,rw /proc/sys", "dmesg > /dev/null",
      ] {
        #expect(try host.run("stack", "exec", "own", "sh", "-c", attempt).status != 0, "\(attempt)")
        #expect(try host.run("stack", "exec", "host", "sh", "-c", attempt).status == 0, "\(attempt)")
      }
      // But they are rights over what is its own.
      #expect(
        try host.run("stack", "exec", "own", "sh", "-c", "mount -t tmpfs none /mnt").status == 0)
      #expect(try host.run("stack", "exec", "own", "ip", "link", "set", "lo", "down").status == 0)
    }
  }

  /// An overlay, as /var/lib is here, has no idmapped mounts.
  @Test func whatCannotBeMappedIsSaid() throws {
    try ThrowawayHost.with { host in
      try host.succeed("mkdir", "/var/lib/shared")
      let service = "command: [sh, -c, 'touch /shared/x; exec sleep infinity'], volumes: ['/var/lib/shared:/shared']"
      try host.write("name: x\nservices: {a: {\(service)}}\n", to: "x.stack")
      let up = try host.run("stack", "up", "x.stack")
      #expect(up.status == 0)
      #expect(
        up.errors.contains(
          "no user namespace for a: folder /var/lib/shared is on a file system without idmapped mounts"))
      #expect(try firstIdentity(of: "a", host) == 0)
      try host.write("name: x\nservices: {a: {\(service), userns_mode: private}}\n", to: "x.stack")
      let refused = try host.run("stack", "up", "x.stack")
      #expect(refused.status != 0 && refused.errors.contains("userns_mode in"))
    }
  }

  @Test func whoSharesANetworkSharesItsUsers() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: x
        services:
          a: {command: [sleep, infinity]}
          b: {command: [sleep, infinity], network_mode: "service:a"}
          c: {command: [sleep, infinity], network_mode: host}

        """, named: "x")
      #expect(try namespaces(of: "a", host) == namespaces(of: "b", host))
      #expect(try firstIdentity(of: "c", host) == 0)
    }
  }
}
