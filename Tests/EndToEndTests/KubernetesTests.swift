import Foundation
import Glibc
import Testing

private let kubectl = Repository.root + "/.build/python/bin/kubectl"
private let podmanIsHere = access("/usr/bin/podman", X_OK) == 0
private let python = Repository.root + "/.build/python/bin/python"

/// `stack export kubernetes`: what it writes runs as the stack does, and the Job that asks finds what is so.
@Suite struct KubernetesTests {
  // MARK: - The questions of --verify

  private static let policies = ThrowawayHost.servers(
    stack: "v", ["a", "b", "c"],
    tail: "networks: {default: {default: deny}}\npolicies:\n  - allow: a -> b:80\n  - allow: b,c -> a:80")

  /// The script and the questions out of the documents, as the Jobs mount them.
  private static let unpack = """
    import sys, yaml
    for document in yaml.safe_load_all(sys.stdin):
        if document["kind"] == "ConfigMap" and document["metadata"]["name"] == "verify":
            for name, text in document["data"].items():
                open("verify/" + name, "w").write(text)
    """

  private func writeQuestions(_ host: ThrowawayHost) throws {
    try host.succeed("mkdir", "-p", "verify")
    let documents = try host.succeed("stack", "export", "kubernetes", "v.stack", "--verify")
    try host.succeed(python, "-c", Self.unpack, input: Data(documents.utf8))
  }

  private func ask(_ host: ThrowawayHost, as service: String) throws -> Outcome {
    let script = try host.succeed("cat", "verify/ask.sh") + "\n"
    let questions = try host.succeed("cat", "verify/\(service)")
    return try host.run(
      "stack", "exec", "-T", service, "sh", "-c",
      "cat > /tmp/all && sed -n '/^#ask/,$p' /tmp/all > /tmp/questions; "
        + "sed '/^#ask/,$d' /tmp/all > /tmp/ask.sh; STACK_WAIT=1 sh /tmp/ask.sh /tmp/questions",
      input: Data((script + "#ask\n" + questions).utf8))
  }

  @Test func itsQuestionsAreAnsweredInTheStackItself() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.policies, named: "v")
      try writeQuestions(host)
      let expected = ["a": ["b": "yes", "c": "no"], "b": ["a": "yes", "c": "no"], "c": ["a": "yes", "b": "no"]]
      for (source, answers) in expected {
        let outcome = try ask(host, as: source)
        #expect(outcome.status == 0, "\(outcome)")
        let rows = outcome.lines.map { $0.split(separator: " ").map(String.init) }
        for (target, answer) in answers {
          #expect(rows.contains([source, target, "80/tcp", answer, answer]), "\(outcome)")
        }
        #expect(outcome.lines.last?.hasPrefix("2 asked, 0 differ") == true, "\(outcome)")
      }
      // The rules change, and the questions stay: what differs is told, with status 1.
      try host.up(Self.policies.replacingOccurrences(of: "b,c -> a:80", with: "c -> a:80"), named: "v")
      let outcome = try ask(host, as: "b")
      #expect(outcome.status == 1, "\(outcome)")
      #expect(outcome.output.contains("no DIFFERS") && outcome.output.contains("2 asked, 1 differ"), "\(outcome)")
    }
  }

  // MARK: - The command line

  @Test func statusesTellWhatHappened() throws {
    try ThrowawayHost.with { host in
      let web = Repository.stackFile("web.stack")
      let plain = try host.run("stack", "export", "kubernetes", web)
      #expect(plain.status == 0 && plain.output.hasPrefix("---\n#"), "\(plain)")
      #expect(plain.errors.contains("LOST") && plain.errors.hasSuffix(" lost\n"), "\(plain.errors)")
      #expect(try host.run("stack", "export", "kubernetes", web, "--strict").status == 1)

      let folder = try host.run("stack", "export", "kubernetes", web, "-o", "base", "--registry", "registry.example/a")
      #expect(folder.status == 0 && folder.output.contains("registry.example/a/web-host"), "\(folder)")
      #expect(try host.succeed("head", "-1", "base/kustomization.yaml").hasPrefix("apiVersion: kustomize"))
      let built = try host.run(kubectl, "kustomize", "base")
      #expect(built.status == 0 && built.output.contains("image: registry.example/a/web-host"), "\(built)")

      let report = try host.succeed("stack", "export", "swarm", web, "-o", "web.yml", "--report", "json")
      #expect(report.hasPrefix("{") && report.contains("\"target\": \"swarm\""), "\(report)")
      #expect(try host.succeed("cat", "web.yml").contains("endpoint_mode: dnsrr"))

      // Contents in the stack file become a file, which others do not read if it is a secret.
      let inner = "{services: {a: {image: a, secrets: [s], configs: [c]}}, secrets: {s: {content: hush}}, "
      try host.write(inner + "configs: {c: {content: loud}}}\n", to: "in.stack")
      try host.succeed("stack", "export", "swarm", "in.stack", "-o", "in.yml")
      let written = try host.succeed("sh", "-c", "stat -c %a in-* | sort; cat in-* | sort")
      #expect(written.hasPrefix("600\n644") && written.contains("hush") && written.contains("loud"), "\(written)")
      try host.succeed("stack", "export", "kubernetes", "in.stack", "-o", "inner")
      #expect(try host.succeed("sh", "-c", "stat -c %a inner/secrets.yaml inner/a.yaml").hasPrefix("600\n644"))
      #expect(try host.run("stack", "export", "swarm", "in.stack").errors.contains("-o FILE"))

      let refused = try host.run("stack", "export", "kubernetes", Repository.stackFile("labs/ring.stack"))
      #expect(refused.status == 1 && refused.output.isEmpty && refused.errors.contains("REFUSED"), "\(refused)")
      for wrong in [
        ["nothing.stack"], [web, "--pod-cidr", "ten"], [web, "--report", "xml"], [web, "-o", "/proc/no/no"],
      ] {
        let outcome = try host.start(["stack", "export", "kubernetes"] + wrong).wait(limit: .seconds(60))
        #expect(outcome.status == 2 && outcome.errors.contains("error"), "\(wrong) \(outcome)")
      }
    }
  }

  // MARK: - podman kube play

  private static let facts = [
    "id -u", "id -g", "id -G", "env | grep -E '^(LEVEL|NOTE)=' | sort", "pwd", "cat /etc/shop/shop.conf",
    "grep -E '^Cap(Bnd|Eff|Prm)|^NoNewPrivs' /proc/self/status",
    "cut -d' ' -f2 /proc/mounts | grep -E '^/(data|cache|etc/shop)$$' | sort", "echo \\\"$$0 $$1\\\"",
  ]

  private static let file = """
    name: shop
    services:
      app:
        rootfs: ./image
        restart: always
        command: [/bin/sh, -c, "\(facts.joined(separator: "; ")); echo end; exec sleep infinity", "$$(LEVEL)", "a b"]
        environment: {LEVEL: high, NOTE: "$$(LEVEL) yes"}
        user: "33:33"
        working_dir: /tmp
        init: false
        cap_add: [NET_ADMIN]
        cap_drop: [CHOWN]
        group_add: ["44"]
        volumes: ["./conf:/etc/shop:ro", "data:/data"]
        tmpfs: ["/cache:size=4m"]
    volumes: {data: {}}

    """

  /// podman with all that it keeps below the folder, a pause image of ours, and ids for user namespaces.
  private static let prepare = """
    set -e
    mkdir -p image/bin image/tmp image/etc image/data image/cache conf
    chmod 1777 image/tmp
    cp "$(command -v busybox)" image/bin/
    for name in sh id env cat cut grep sleep sort; do ln -s busybox image/bin/$name; done
    echo "level: high" > conf/shop.conf
    printf '[engine]\\ninfra_image="localhost/pause"\\ninfra_command="/bin/sleep infinity"\\n' > containers.conf
    echo "containers:1000000:1000000" > ids
    for file in subuid subgid; do mount --bind ids /etc/$file; done
    cat > pod <<'END'
    #!/bin/sh
    CONTAINERS_CONF=$PWD/containers.conf exec podman --root $PWD/store --runroot $PWD/runroot --storage-driver vfs \\
      --cgroup-manager cgroupfs "$@"
    END
    chmod +x pod
    tar -C image -c . | ./pod import --change 'ENTRYPOINT ["/bin/sleep","infinity"]' - localhost/pause
    tar -C image -c . | ./pod import - localhost/shop-image
    """

  @Test(.enabled(if: podmanIsHere, "podman is not installed: tools/setup --peers"))
  func aPodRunsAsTheServiceDoes() throws {
    try ThrowawayHost.with { host in
      try host.write(Self.file, to: "shop.stack")
      try host.succeed("sh", "-c", Self.prepare)
      try host.succeed("stack", "up", "shop.stack")
      func logs() throws -> String { try host.succeed("stack", "logs", "--no-log-prefix", "app") }
      #expect(try host.eventually { try logs().hasSuffix("end") })
      let here = try logs()
      #expect(here.contains("LEVEL=high\nNOTE=$(LEVEL) yes\n") && here.contains("$(LEVEL) a b"), "\(here)")

      let documents = try host.succeed("stack", "export", "kubernetes", "shop.stack")
      let variant = try host.succeed(
        python, "\(Repository.root)/Tests/EndToEndTests/Scripts/kube-play-variant.py", input: Data(documents.utf8))
      try host.write(variant, to: "play.yaml")
      let played = try host.run("./pod", "kube", "play", "--network", "none", "play.yaml")
      #expect(played.status == 0, "\(played)")
      func podLogs() throws -> String { try host.run("./pod", "logs", "app-pod-0-app").output }
      #expect(try host.eventually { try podLogs().hasSuffix("end") })
      #expect(try podLogs() == here)
      try host.run("./pod", "pod", "rm", "-f", "-t", "1", "app-pod-0")
    }
  }
}
