import Foundation
import Testing

/// `stack up --dry-run FILE` prints a script: run by bash, with nothing of `stack`, it makes the network that `up` makes, and
/// starts the services.
@Suite struct PrintedPlanTests {
  static let files = ["", "labs/"].flatMap { part in
    ((try? FileManager.default.contentsOfDirectory(atPath: "\(Repository.root)/stacks/\(part)")) ?? [])
      .filter { $0.hasSuffix(".stack") }.map { part + $0 }
  }.sorted()

  private func print(_ file: String, on host: ThrowawayHost) throws {
    try host.write(try host.succeed("stack", "up", "--dry-run", file) + "\n", to: "plan.sh")
  }

  @Test func everyExampleIsTried() {
    #expect(Self.files.count >= 10 && Self.files.contains("web.stack") && Self.files.contains("labs/vlan-trunk.stack"))
  }

  @Test(arguments: files) func itsNetworkIsThatOfUp(_ name: String) throws {
    let file = Repository.stackFile(name)
    try ThrowawayHost.with { made in
      try made.succeed("stack", "up", file)
      try ThrowawayHost.with { typed in
        try print(file, on: typed)
        let outcome = try typed.run("bash", "-e", "plan.sh", "network")
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome)")
        // The state of a link settles a moment after it is up.
        var differences: [String] = []
        _ = try typed.eventually(within: .seconds(10)) {
          differences = try NetworkState(of: typed).differences(from: NetworkState(of: made))
          return differences.isEmpty
        }
        #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
        #expect(try typed.run("pgrep", "-c", "unshare").output == "0", "nothing was started")
      }
    }
  }

  @Test(arguments: files) func itsServicesRun(_ name: String) throws {
    try ThrowawayHost.with { host in
      try print(Repository.stackFile(name), on: host)
      let outcome = try host.run("bash", "-e", "plan.sh")
      #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome)")
      let script = try host.succeed("cat", "plan.sh")
      let starts = script.split(separator: "\n").filter { $0.hasPrefix("# start ") }.count
      let ended = name == "depends.stack" ? 1 : 0
      // Each is process 1 of its namespace, whose parent waits for it.
      let running = "ps -e -o args= | grep -c '^unshare --mount .* --fork --kill-child'"
      #expect(try host.eventually { try host.run("sh", "-c", running).output == "\(starts - ended)" }, "\(starts)")
      #expect(try host.succeed("sh", "-c", "cat /var/lib/stack/*/logs/*.out").contains("denied") == false)
      if name == "nginx.stack" {
        #expect(try host.get("localhost:8092")?.contains("nginx web2<") == true)
      }
      if name == "depends.stack" {
        #expect(try host.eventually { try host.succeed("sh", "-c", "cat /var/lib/stack/*/logs/client.out") != "" })
      }
    }
  }

  @Test(arguments: ["userns_mode: host", "userns_mode: private"])
  func allThreePagesAnswerFromTheScriptAlone(_ mode: String) throws {
    try ThrowawayHost.with { host in
      let text = try String(contentsOfFile: Repository.stackFile("web.stack"), encoding: .utf8)
        .replacing("  rootfs: host\n", with: "  rootfs: host\n  \(mode)\n")
        .replacing("./web/", with: "\(Repository.root)/stacks/web/")
      try host.write(text, to: "web.stack")
      try print("web.stack", on: host)
      // None of the programs that a fresh host lacks is asked for.
      let outcome = try host.run("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "bash", "-e", "plan.sh")
      #expect(outcome.status == 0, "\(outcome)")
      for number in 1...3 {
        #expect(try host.get("localhost:808\(number)")?.contains("This is web\(number)<") == true)
        #expect(try host.get("\(ThrowawayHost.address):808\(number)", from: .outside)?.contains("web\(number)") == true)
      }
      // What bears the stack's name is found and taken down, though no record tells of it.
      try host.succeed("stack", "down", "web")
      #expect(try host.succeed("sh", "-c", "ip -j link | grep -c web || true; ip netns; nft list tables") == "0")
      #expect(try host.run("ls", "/run/stack").status != 0)
    }
  }

  // MARK: What a service finds

  /// Whatever a service can see of how it was started, in lines that are the same for each start.
  private static let report = """
    id; pwd; hostname; cat /proc/sys/kernel/domainname; env | sort; umask
    grep -E '^(Cap|NoNewPrivs|Groups|Uid|Gid)' /proc/self/status
    prlimit --noheadings -o RESOURCE,SOFT,HARD; cat /proc/self/timens_offsets /proc/self/oom_score_adj
    cat /proc/sys/net/core/somaxconn /proc/self/uid_map /etc/hosts /etc/resolv.conf /etc/hostname
    # Mount points with their flags, and the limits of what is in memory.
    cut -d ' ' -f 5,6 /proc/self/mountinfo | sed s/,idmapped// | sort
    grep -E '^([^ ]* ){4}(/tmp|/cache|/scratch|/dev/pts|/dev/shm) ' /proc/self/mountinfo | cut -d ' ' -f 5,10- | sort
    ls -lnA /dev /dev/pts | cut -d ' ' -f 1-6
    for file in /x /data/x /usr/x /proc/sys/kernel/panic /sys/x; do touch $file && echo $file is written; done
    ls /etc; stat -c '%a %u %n' / /etc /tmp /root /srv /dev/shm; cat /etc/shadow /proc/kcore; wc -l </proc/self/cgroup
    """

  private static let reporters = """
    name: deep
    x-report: &report
      command: [sh, -c, "sh /report/report 2>&1; echo done; exec sleep infinity"]
    services:
      plain: {<<: *report, volumes: ["./report:/report:ro"]}
      hostusers: {<<: *report, userns_mode: host, volumes: ["./report:/report:ro", "own:/data"]}
      full:
        <<: *report
        userns_mode: host
        working_dir: /srv/a b
        user: www-data
        group_add: [audio, "4321"]
        cap_add: [NET_ADMIN]
        cap_drop: [CHOWN]
        ulimits: {nofile: {soft: 1024, hard: 4096}, core: 0}
        mem_limit: 64m
        pids_limit: 40
        oom_score_adj: 500
        shm_size: 1m
        sysctls: {net.core.somaxconn: 1024}
        devices: [/dev/fuse]
        hostname: alpha
        domainname: example.net
        environment: {GREETING: "a b", LINES: "1\\n2", Q: "it's $$HOME"}
        volumes: ["./report:/report:ro", "data:/data:ro", /scratch]
        tmpfs: ["/cache:size=64m,mode=0700"]
        time_offset: {monotonic: 1h, boottime: -5m}
      readonly: {<<: *report, read_only: true, user: "33:34", cap_drop: [ALL], volumes: ["./report:/report:ro"]}
      privileged: {<<: *report, privileged: true, volumes: ["./report:/report:ro"]}
      volumes:
        <<: *report
        volumes: ["./report:/report:ro", "./report:/again", "inner:/data", {type: tmpfs, target: /cache}, /scratch]
        storage_opt: {size: 8m}
        configs: [{source: words, target: /etc/words}]
        secrets: [word]
      mknod:
        <<: *report
        userns_mode: host
        cap_add: [MKNOD]
        volumes: ["./report:/report:ro", "data:/data", /scratch]
    volumes: {data: {}, own: {}, inner: {}}
    configs: {words: {content: some}}
    secrets: {word: {environment: HOME}}
    """

  @Test func aServiceFindsWhatUpGivesIt() throws {
    let names = ["plain", "hostusers", "full", "readonly", "privileged", "volumes", "mknod"]
    func reports(_ start: (ThrowawayHost) throws -> Void, _ read: @escaping (ThrowawayHost, String) throws -> String)
      throws
      -> [String: [String]]
    {
      try ThrowawayHost.with { host in
        try host.write(Self.report + "\n", to: "report/report")
        try host.write(Self.reporters, to: "deep.stack")
        try start(host)
        var reports: [String: [String]] = [:]
        for name in names {
          var text = ""
          guard
            try host.eventually({
              text = try read(host, name); return text.contains("done")
            })
          else {
            throw HarnessError("\(name) does not end its report: \(text)")
          }
          reports[name] = text.split(separator: "\n").map { line in
            // `name | …` of a log.
            line.split(separator: "| ", maxSplits: 1).last.map(String.init) ?? ""
          }.filter {
            !$0.contains("done") && !$0.allSatisfy(\.isWhitespace) && $0.trimmingCharacters(in: .whitespaces) != name
          }
        }
        return reports
      }
    }
    let made = try reports {
      try $0.succeed("stack", "up", "deep.stack")
    } _: {
      try $0.succeed("stack", "logs", $1)
    }
    let typed = try reports {
      try print("deep.stack", on: $0)
      try $0.succeed("bash", "-e", "plan.sh")
    } _: {
      try $0.succeed("cat", "/var/lib/stack/deep/logs/\($1).out")
    }
    for name in names {
      let differences = (typed[name] ?? []).difference(from: made[name] ?? [])
      #expect((made[name] ?? []).count > 60 && differences.isEmpty, "\(name): \(differences)")
    }
  }

  /// A file's words are words, wherever they stand.
  @Test func noWordOfAFileIsRun() throws {
    try ThrowawayHost.with { host in
      let evil = #"1\n  touch /run/PWNED #\nEOF\ntouch /run/PWNED\n`touch /run/PWNED`'; touch /run/PWNED; '"#
      try host.write(
        """
        name: evil
        services:
          a:
            command: [echo, "\(evil)", "$$(touch /run/PWNED)"]
            environment: {A: "\(evil)"}
            labels: {x: "\(evil)"}
            volumes: ["/srv:/a $$(touch /run/PWNED)"]
            tmpfs: ["/b;touch /run/PWNED"]
            working_dir: "/c$$(touch /run/PWNED)"
        """, to: "evil.stack")
      try print("evil.stack", on: host)
      let outcome = try host.run("bash", "-e", "plan.sh")
      #expect(outcome.status == 0, "\(outcome)")
      #expect(
        try host.eventually {
          try host.run("cat", "/var/lib/stack/evil/logs/a.out").output.contains("touch /run/PWNED")
        })
      #expect(try host.run("test", "-e", "/run/PWNED").status == 1)
    }
  }
}
