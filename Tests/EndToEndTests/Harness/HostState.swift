import Foundation

/// The state of a host as other programs show it. `stack down` must restore all of it.
struct HostState {
  private let sections: [(title: String, text: String)]

  init(of host: ThrowawayHost) throws {
    let script = """
      echo '#links'; ip -j link
      echo '#addresses'; ip -j address
      echo '#routes'; ip route show table all; ip -6 route show table all
      echo '#rules'; ip rule; ip -6 rule
      echo '#namespaces'; ip netns
      echo '#nftables'
      # Of the sets that count connections, the kernel removes elements without one whenever it gets to it.
      nft list ruleset | sed -zE 's/\\n[[:space:]]*elements = [{][^}]*ct count over[^}]*[}]//g'
      echo '#mounts'; cat /proc/self/mountinfo
      echo '#cgroups'; find /sys/fs/cgroup -type d
      echo '#sysctls'; cd /proc/sys/net
      grep -s . ipv4/ip_* ipv4/conf/{all,default,lo,uplink}/* ipv6/conf/{all,default,lo,uplink}/* bridge/*
      echo '#files'
      # What stays of a stack on purpose: its file's name beside its volumes, and the logs of an `up` that failed.
      find /run/stack /run/netns /var/lib/stack -not -type d -o -mindepth 1 -type d -empty 2>/dev/null \\
        | grep -v -e /failed-logs -e /origin.json | sort
      echo '#processes'
      ps -e -o pid= -o ppid= -o args= | while read -r pid parent args; do
        # A process without arguments that is no zombie is on its way out: the kernel has taken its memory already.
        [ "$pid" = 1 ] || [ "$pid" = $$ ] || [ "$parent" = $$ ] || [ "$args" = "[stack]" ] || echo "$args"
      done
      """
    let output = try host.succeed("bash", "-c", script)
    var sections: [(title: String, text: String)] = []
    for line in output.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("#") {
        sections.append((String(line.dropFirst()), ""))
      } else if !sections.isEmpty {
        sections[sections.count - 1].text += line + "\n"
      }
    }
    self.sections = sections
  }

  subscript(title: String) -> String { sections.first { $0.title == title }?.text ?? "" }

  /// A line for each difference, `- links: …` for what is gone and `+ links: …` for what is new; empty when nothing differs.
  func differences(since earlier: HostState) -> [String] {
    sections.flatMap { title, text in
      let before = earlier[title].split(separator: "\n")
      let after = text.split(separator: "\n")
      return after.difference(from: before).map { change in
        switch change {
        case .insert(_, let line, _): "+ \(title): \(line)"
        case .remove(_, let line, _): "- \(title): \(line)"
        }
      }
    }
  }
}
