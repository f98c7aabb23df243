import Foundation
import Testing

/// The harness is what every other test stands on, so it is tested for both: to be a host, and to notice what is left.
@Suite struct HarnessTests {
  @Test func aThrowawayHostIsAHostOfItsOwn() throws {
    try ThrowawayHost.with { host in
      #expect(try host.succeed("hostname") == "throwaway")
      let links = try host.succeed("sh", "-c", "ip -j link | jq -r '.[].ifname' | tr '\\n' ' '")
      #expect(links == "lo uplink")
      #expect(try host.run("ping", "-c1", "-W2", ThrowawayHost.internetAddress).status == 0)
      #expect(try host.run("ping", "-c1", "-W2", ThrowawayHost.address, from: .outside).status == 0)
    }
  }

  @Test func whatIsLeftOnAHostIsNoticed() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.expectUnchanged(since: before)
      try host.succeed(
        "sh", "-c",
        """
        ip link add br0 type bridge; ip netns add left; nft add table ip left; mkdir /sys/fs/cgroup/unified/left || mkdir /sys/fs/cgroup/left
        mkdir -p /run/stack; touch /run/stack/left; echo 1 > /proc/sys/net/ipv4/ip_forward; setsid sleep 60 >/dev/null 2>&1 &
        """)
      let found = try Set(HostState(of: host).differences(since: before).map { $0.split(separator: " ")[1] })
      let all: Set<Substring> = [
        "links:", "namespaces:", "nftables:", "mounts:", "cgroups:", "files:", "sysctls:", "processes:",
      ]
      #expect(all.subtracting(found).isEmpty, "not noticed: \(all.subtracting(found))")
    }
  }

  @Test func outcomesCarryStatusOutputAndSignals() throws {
    try ThrowawayHost.with { host in
      let outcome = try host.run("sh", "-c", "cat; echo oops >&2; exit 3", input: Data("in".utf8))
      #expect(outcome.status == 3)
      #expect(outcome.output == "in")
      #expect(outcome.errors == "oops\n")
      let sleeper = try host.start(["sleep", "60"])
      _ = host.eventually { (try? host.signal(15, to: sleeper)) != nil }
      #expect(try sleeper.wait(limit: .seconds(60)).status == 128 + 15)
    }
  }
}
