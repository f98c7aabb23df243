import Glibc
import Testing

private let hasShells = ["zsh", "fish"].allSatisfy { access("/usr/bin/\($0)", X_OK) == 0 }

/// The scripts of `--generate-completion-script`, in the shells that they are for.
@Suite(.enabled(if: hasShells, "zsh or fish is not installed: tools/setup --tests"))
struct CompletionTests {
  /// The words that are typed, and names that must be offered.
  private static let cases: [(typed: [String], offered: [String])] = [
    (["lo"], ["load", "logs"]),
    (["logs", "w"], ["web", "worker"]),
    (["up", ""], ["database", "worker", "compose.yaml"]),
    (["down", ""], ["worker", "shop"]),
    (["up", "--profile", ""], ["extra"]),
    (["build", ""], ["worker"]),
    (["cp", "w"], ["web:", "worker:"]),
    (["scale", "w"], ["web=", "worker="]),
    (["link", "w"], ["web:front"]),
    (["network", "rm", ""], ["shop_front", "alone"]),
    (["volume", "rm", ""], ["shop_data"]),
    (["-p", ""], ["shop"]),
    (["--profile", ""], ["extra"]),
    (["-f", "compose.yaml", "logs", "w"], ["web", "worker"]),
    (["--ansi", "never", "-p", "shop", "exec", "w"], ["web"]),
  ]

  private func withStack(_ body: (ThrowawayHost) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.write(
        """
        services:
          database: {command: [sleep, "100000"], profiles: [extra]}
          web: {command: [sleep, "100000"], networks: [front], volumes: ["data:/srv"]}
          worker: {build: .}
        networks: {front: {}}
        volumes: {data: {}}
        """, to: "\(ThrowawayHost.workFolder)/shop/compose.yaml")
      try host.shell("stack up -d web && stack network create alone")
      try body(host)
    }
  }

  @Test func bashOffersWhatFits() throws {
    try withStack { host in
      try host.shell("stack --generate-completion-script bash >/run/stack.bash")
      for (typed, offered) in Self.cases {
        let script = "\(Repository.root)/Tests/EndToEndTests/Scripts/complete.bash"
        let found = try host.shell("bash \(script) /run/stack.bash " + typed.map { "'\($0)'" }.joined(separator: " "))
        #expect(Set(offered).subtracting(found.split(separator: "\n").map(String.init)) == [], "\(typed): \(found)")
      }
    }
  }

  @Test func fishOffersWhatFits() throws {
    try withStack { host in
      try host.shell(
        """
        mkdir -p /run/fish/.config/fish/completions
        stack --generate-completion-script fish >/run/fish/.config/fish/completions/stack.fish
        """)
      for (typed, offered) in Self.cases {
        let line = (["stack"] + typed).joined(separator: " ")
        let found = try host.shell("HOME=/run/fish fish -c \"complete -C '\(line)'\"")
        let words = found.split(separator: "\n").map { String($0.prefix { $0 != "\t" }) }
        #expect(Set(offered).subtracting(words) == [], "\(typed): \(found)")
      }
    }
  }

  @Test func zshOffersWhatFits() throws {
    try withStack { host in
      try host.shell("mkdir -p /run/zsh && stack --generate-completion-script zsh >/run/zsh/_stack")
      let script = "\(Repository.root)/Tests/EndToEndTests/Scripts/complete-zsh.py"
      for (typed, offered) in Self.cases {
        let line = (["stack"] + typed).joined(separator: " ")
        try host.shell("python3 \(script) /run/zsh '\(line)' " + offered.joined(separator: " "))
      }
    }
  }
}

extension ThrowawayHost {
  /// Runs a line of bash in the folder with the stack.
  @discardableResult
  fileprivate func shell(_ line: String) throws -> String {
    try succeed("bash", "-ec", "cd \(Self.workFolder)/shop\n\(line)")
  }
}
