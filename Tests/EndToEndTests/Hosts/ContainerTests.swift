import Foundation
import Glibc
import Testing

private func has(_ program: String) -> Bool { access(program, X_OK) == 0 }

/// `stack` inside containers of other programs, as in development containers and CI jobs: a stack comes up, or one error
/// names cause and remedy. `stack doctor` says the same before.
///
/// tools/test-vm has `docker run --privileged`, which takes a capability that a throwaway host may not have.
@Suite struct ContainerTests {
  /// The result of the commands in a container.
  private struct Report {
    var text: String

    /// The exit status of a step.
    func status(_ step: String) -> String? {
      text.split(separator: "\n").first { $0.hasPrefix("\(step)=") }.map { String($0.dropFirst(step.count + 1)) }
    }
    var errors: Int { text.split(separator: "\n").count { $0.hasPrefix("error:") } }
    var pages: Int { text.split(separator: "\n").count { $0.hasPrefix("<h1>This is web") } }
    /// All that is left of stacks at the end.
    var leftovers: [Substring] { text.split(separator: "\n").filter { $0.hasPrefix("left: ") } }
  }

  /// The folders of this host that a container shows read-only, at the same paths.
  private static let shown = ["/usr", "/opt", Repository.root, Repository.binaryFolder]
    .filter { FileManager.default.fileExists(atPath: $0) }

  private static func script(before: String = "true") -> String {
    """
    export PATH=\(Repository.binaryFolder):/usr/sbin:/usr/bin LANG=C.UTF-8
    \(before)
    stack doctor; echo doctor=$?
    stack up \(Repository.stackFile("web.stack")) 2>&1; echo up=$?
    for port in 8081 8082 8083; do curl -s -m 5 "localhost:$port"; done
    if [ "${KEEP:-}" = "" ]; then stack down web >/dev/null 2>&1; fi
    for path in /run/stack /var/lib/stack /run/netns; do [ ! -e $path ] || echo "left: $path"; done
    find /sys/fs/cgroup -name stack -printf 'left: %p\\n' 2>/dev/null
    ip -o link | grep -E 'web-|veth' | sed 's/^/left: /'
    exit 0
    """
  }

  /// A root folder with this host's settings, and mount points for its programs.
  private func makeRoot(_ host: ThrowawayHost) throws {
    try host.succeed(
      "bash", "-c",
      """
      set -e
      mkdir -p root/{proc,sys,dev,tmp,run,root,usr,var/lib,var/cache}
      for name in bin sbin lib lib64; do ln -s usr/$name root/$name; done
      cp -a /etc root/etc
      rm -f root/etc/machine-id
      for folder in \(Self.shown.joined(separator: " ")); do mkdir -p root$folder; done
      """)
  }

  private func expectUp(_ outcome: Outcome, _ place: String) {
    let report = Report(text: outcome.output)
    #expect(report.status("doctor") == "0" && report.status("up") == "0" && report.pages == 3, "\(place): \(outcome)")
    #expect(report.leftovers.isEmpty, "\(place): \(report.leftovers)")
  }

  /// - Parameter words: parts of the one error and its remedy, which doctor has as well.
  private func expectRefusal(_ outcome: Outcome, _ place: String, _ words: [String]) {
    let report = Report(text: outcome.output)
    #expect(report.status("doctor") == "1" && report.status("up") == "1" && report.errors == 1, "\(place): \(outcome)")
    for word in words {
      #expect(outcome.output.components(separatedBy: word).count > 2, "\(place): \(word): \(outcome)")
    }
    #expect(report.leftovers.isEmpty, "\(place): \(report.leftovers)")
  }

  /// A command with cgroups where other programs look for them.
  private static func withUnifiedTree(_ command: String) -> [String] {
    [
      "unshare", "-m", "--propagation", "private", "sh", "-c",
      "mount -t cgroup2 none /sys/fs/cgroup && \(command)",
    ]
  }

  /// The capabilities of this host, since `--privileged` takes more than a virtual machine's guest may have.
  private static let allCapabilities = """
    $(capsh --print | sed -n 's/^Bounding set =//p' | tr , '\\n' | grep -vE 'bpf|perfmon|checkpoint' \
    | sed 's/^cap_/--cap-add=/')
    """

  @Test(.enabled(if: has("/usr/sbin/dockerd"), "dockerd is not installed: tools/setup --tests"))
  func inContainersOfDocker() throws {
    try ThrowawayHost.with { host in
      try makeRoot(host)
      let daemon = try host.start(
        Self.withUnifiedTree(
          "exec dockerd --data-root /run/docker-data --exec-root /run/docker-exec --pidfile /run/docker.pid "
            + "-H unix:///run/docker.sock --storage-driver vfs"))
      guard host.eventually(within: .seconds(60), { (try? host.run("docker", "version").status) == 0 }) else {
        throw HarnessError("dockerd does not start: \(daemon.output)")
      }
      try host.succeed("bash", "-c", "tar -C root -c . | docker import - machine")
      let volumes = Self.shown.map { "-v \($0):\($0):ro" }.joined(separator: " ")
      func run(_ options: String, _ script: String = Self.script()) throws -> Outcome {
        try host.run(
          "bash", "-c", "docker run --rm \(volumes) \(options) machine bash -c \"$0\" 2>&1", script,
          limit: .seconds(120))
      }
      let rights = "\(Self.allCapabilities) --security-opt seccomp=unconfined --security-opt systempaths=unconfined"
      let readOnly = try run(rights)
      expectUp(readOnly, "read-only cgroups")
      #expect(readOnly.output.contains("note the cgroup tree at /sys/fs/cgroup is read-only"), "\(readOnly)")
      #expect(readOnly.output.contains("have neither limits nor filters for devices"), "\(readOnly)")
      let writable = try run(rights, Self.script(before: "mount -o remount,rw /sys/fs/cgroup"))
      expectUp(writable, "writable cgroups")
      #expect(!writable.output.contains("is read-only"), "\(writable)")
      expectUp(try run("\(rights) --tmpfs /run:rw,noexec"), "/run without exec")
      expectUp(try run("\(rights) --network none"), "no network of Docker's")
      expectRefusal(try run(""), "no privileges", ["CAP_NET_ADMIN, CAP_SYS_ADMIN are missing", "--privileged"])
      expectRefusal(try run("\(rights) --read-only --tmpfs /run"), "read-only root", ["/var/lib/stack", "read-only"])
      expectUp(try run("\(rights) --read-only --tmpfs /run --tmpfs /var/lib --tmpfs /tmp"), "read-only root, tmpfs")
      try host.succeed("sh", "-c", "kill $(cat /run/docker.pid)")
      _ = try daemon.wait(limit: .seconds(60))
    }
  }

  @Test(.enabled(if: has("/usr/bin/podman") && has("/usr/bin/crun"), "podman is not installed: tools/setup --tests"))
  func inAContainerOfPodman() throws {
    try ThrowawayHost.with { host in
      try makeRoot(host)
      let volumes = Self.shown.map { "-v \($0):\($0):ro" }.joined(separator: " ")
      try host.write(Self.script(), to: "root/script")
      func run(_ options: String) throws -> Outcome {
        try host.start(
          Self.withUnifiedTree(
            "podman --root /run/podman --runroot /run/podman-run --cgroup-manager cgroupfs --storage-driver vfs "
              + "run --rm --cgroups=disabled --ulimit host \(volumes) \(options) --rootfs $PWD/root bash /script 2>&1")
        ).wait(limit: .seconds(120))
      }
      expectUp(try run("--privileged"), "podman --privileged")
      expectRefusal(try run("--network none"), "podman", ["CAP_SYS_ADMIN", "are missing", "--privileged"])
    }
  }

  /// The kernel gives a chroot no user namespaces, and pivot_root(2) there would leave this host's mounts in reach.
  @Test func inAChroot() throws {
    try ThrowawayHost.with { host in
      try makeRoot(host)
      try host.write(Self.script(before: "export KEEP=1"), to: "root/script")
      let shown = Self.shown.map { "mount --rbind \($0) root\($0)" }.joined(separator: "\n")
      let outcome = try host.run(
        "bash", "-c",
        """
        set -e
        mount --bind root root
        for folder in proc sys dev run; do mount --rbind /$folder root/$folder; done
        \(shown)
        chroot root bash /script 2>&1
        """, limit: .seconds(120))
      #expect(Report(text: outcome.output).status("up") == "0" && Report(text: outcome.output).pages == 3, "\(outcome)")
      #expect(outcome.output.contains("as in a chroot"), "\(outcome)")
      // Whoever enters the service's mounts, as by setns(2), finds the service's root and nothing of this host.
      let names = try host.succeed("sh", "-c", "nsenter -t $(stack ps --format json web1 | jq .PID) -m ls -A /")
      #expect(!names.split(separator: "\n").contains("boot") && names.contains("www"), "\(names)")
      try host.succeed("chroot", "root", "\(Repository.binaryFolder)/stack", "down", "web")
    }
  }

  @Test(.enabled(if: has("/usr/bin/systemd-nspawn"), "systemd-nspawn is not installed: tools/setup --tests"))
  func inContainersOfNspawn() throws {
    try ThrowawayHost.with { host in
      try makeRoot(host)
      try host.write(Self.script(), to: "root/script")
      let volumes = Self.shown.map { "--bind-ro=\($0)" }.joined(separator: " ")
      func run(_ options: String) throws -> Outcome {
        try host.start(
          Self.withUnifiedTree(
            "systemd-nspawn -q -D root --register=no --keep-unit --console=pipe --private-network \(volumes) "
              + "\(options) bash /script 2>&1 </dev/null | cat"),
          environment: ["SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"]
        ).wait(limit: .seconds(120))
      }
      expectUp(try run("--capability=all"), "nspawn")
      expectRefusal(
        try run("--capability=all -U"), "nspawn -U", ["root is here root of a user namespace alone", "without -U"])
    }
  }

  @Test(.enabled(if: has("/usr/bin/lxc-execute"), "lxc is not installed: tools/setup --tests"))
  func inAContainerOfLXC() throws {
    try ThrowawayHost.with { host in
      try makeRoot(host)
      // LXC leaves the loopback to the container's own init.
      try host.write(Self.script(before: "stack doctor | grep 'lo is down'; ip link set lo up"), to: "root/script")
      let folder = "\(ThrowawayHost.workFolder)/root"
      let entries = Self.shown.map { "lxc.mount.entry = \($0) \($0.dropFirst()) none rbind,ro,create=dir 0 0" }
      try host.write(
        """
        lxc.rootfs.path = dir:\(folder)
        lxc.rootfs.mount = /run/lxc-root
        lxc.uts.name = machine
        lxc.net.0.type = empty
        lxc.mount.auto = proc:rw sys:rw cgroup:rw
        lxc.apparmor.profile = unconfined
        \(entries.joined(separator: "\n"))
        """, to: "/run/lxc/machine/config")
      try host.succeed("mkdir", "/run/lxc-root")
      let outcome = try host.start(
        Self.withUnifiedTree("lxc-execute -P /run/lxc -n machine -- bash /script 2>&1 </dev/null")
      ).wait(limit: .seconds(120))
      expectUp(outcome, "LXC")
      #expect(outcome.output.contains("lo is down"), "\(outcome)")
    }
  }
}
