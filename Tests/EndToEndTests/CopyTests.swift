import Foundation
import Testing

/// `stack cp` in both directions, also with a service that wants more than its own.
@Suite struct CopyTests {
  private func withIdle(_ body: (ThrowawayHost) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.up("name: c\nservices: {a: {command: [sleep, infinity]}}", named: "c")
      try body(host)
    }
  }

  @Test func filesAndFoldersGoInAndOut() throws {
    try withIdle { host in
      try host.succeed(
        "sh", "-c",
        "mkdir -p tree/sub && echo one > tree/one && echo two > tree/sub/two && ln -s one tree/link && chmod 4755 tree/one"
      )
      try host.succeed("stack", "cp", "tree", "a:/srv")
      try host.succeed("stack", "cp", "tree/.", "c/a:/srv/contents")
      #expect(
        try host.succeed("stack", "exec", "a", "sh", "-c", "cat /srv/tree/one /srv/tree/link /srv/contents/sub/two")
          == "one\none\ntwo")
      #expect(try host.succeed("stack", "exec", "a", "stat", "-c", "%a %u:%g", "/srv/tree/one") == "755 0:0")
      try host.succeed("stack", "cp", "a:/srv/tree/", "back")
      #expect(try host.succeed("diff", "-r", "tree", "back") == "")
      try host.succeed("stack", "cp", "a:/srv/tree/one", ".")
      #expect(try host.succeed("stat", "-c", "%a", "one") == "755")
      try host.succeed("stack", "cp", "a:etc/hostname", "name")
      #expect(try host.succeed("cat", "name") == "a")
      // Over what is there.
      try host.succeed("sh", "-c", "echo new > tree/one; stack cp tree/one a:/srv/tree/one; stack cp tree a:/srv")
      #expect(try host.succeed("stack", "exec", "a", "cat", "/srv/tree/one") == "new")
    }
  }

  /// The rules of `docker cp` (docs.docker.com), for each form of source and target, into a service and out of it.
  @Test func eachFormOfSourceAndTargetIsAsWithDocker() throws {
    let sources = ["file", "file/", "src", "src/", "src/."]
    let targets = ["new", "new/", "new/.", "old", "old/", "old/.", "dir", "dir/", "dir/."]
    /// The new files below the target's folder; nil for an error.
    func expected(_ source: String, _ target: String) -> [String]? {
      let isFolder = source.hasPrefix("src")
      guard source != "file/" else { return nil }
      switch target {
      case "new": return isFolder ? ["new/f", "new/sub/g"] : ["new"]
      case "new/", "new/.": return isFolder ? ["new/f", "new/sub/g"] : nil
      case "old": return isFolder ? nil : []
      case "old/", "old/.": return nil
      default:
        guard isFolder else { return ["dir/file"] }
        return source == "src/." ? ["dir/f", "dir/sub/g"] : ["dir/src/f", "dir/src/sub/g"]
      }
    }
    let script = """
      all=$(mktemp -d) && cd "$all" && mkdir -p s/src/sub && echo f >s/src/f && echo g >s/src/sub/g && echo file >s/file
      list() { find . -type f | sed 's,^./,,' | grep -v '^old$' | sort | tr '\\n' ' '; }
      stack cp s c/a:/ >/dev/null
      for source in \(sources.joined(separator: " ")); do for target in \(targets.joined(separator: " ")); do
        stack exec -T c/a sh -c 'rm -rf /t && mkdir -p /t/dir && echo old >/t/old'
        stack cp "s/$source" "c/a:/t/$target" 2>/dev/null; status=$?
        echo "in $source $target $status $(stack exec -T c/a sh -c "cd /t && $(declare -f list) && list")"
        rm -rf t && mkdir -p t/dir && echo old >t/old
        stack cp "c/a:/s/$source" "t/$target" 2>/dev/null; status=$?
        echo "out $source $target $status $(cd t && list)"
      done; done
      """
    try withIdle { host in
      let outcome = try host.run("bash", "-c", script, limit: .seconds(120))
      #expect(outcome.lines.count == 2 * sources.count * targets.count, "\(outcome)")
      for line in outcome.lines {
        let words = line.split(separator: " ").map(String.init)
        let wanted = expected(words[1], words[2])
        #expect(words[3] == (wanted == nil ? "1" : "0") && Array(words.dropFirst(4)) == wanted ?? [], "\(line)")
      }
    }
  }

  @Test func tarStreamsAreRefused() throws {
    try withIdle { host in
      for arguments in [["a:/etc/hostname", "-"], ["-", "a:/srv"]] {
        let outcome = try host.start(["stack", "cp"] + arguments).wait(limit: .seconds(60))
        #expect(outcome.status == 1 && outcome.errors.contains("cp knows no tar streams"), "\(outcome)")
      }
      try host.succeed("stack", "cp", "a:/etc/hostname", "./-")
      #expect(try host.succeed("cat", "./-") == "a")
    }
  }

  @Test func noLinkLeadsOutOfTheService() throws {
    try withIdle { host in
      try host.succeed("sh", "-c", "echo secret > /run/throwaway/secret; echo mine > mine")
      let links =
        "ln -s /run/throwaway /srv/up; ln -s ../../../../run/throwaway/secret /srv/far; ln -s /proc/1/root /srv/root; mkfifo /srv/fifo"
      try host.succeed("stack", "exec", "a", "sh", "-c", links)
      #expect(try host.run("stack", "cp", "a:/srv/up/secret", "got").status == 1)
      #expect(try host.run("stack", "cp", "mine", "a:/srv/up/secret").status == 1)
      #expect(try host.run("stack", "cp", "mine", "a:/srv/root/x").status == 1)
      #expect(try host.succeed("cat", "/run/throwaway/secret") == "secret")
      // A link is copied as what it is, and written over, not through.
      let outcome = try host.run("stack", "cp", "a:/srv", "out")
      #expect(outcome.status == 0 && outcome.errors.contains("fifo"), "\(outcome)")
      #expect(try host.succeed("readlink", "out/far") == "../../../../run/throwaway/secret")
      try host.succeed("stack", "cp", "mine", "a:/srv/far")
      #expect(try host.succeed("stack", "exec", "a", "cat", "/srv/far") == "mine")
      try host.succeed("sh", "-c", "mkdir trap; ln -s /run/throwaway/secret trap/far; stack cp a:/srv/far trap/far")
      #expect(try host.succeed("cat", "/run/throwaway/secret") == "secret")
      // A folder that is a link where the copy is to go is no way either.
      try host.succeed("stack", "exec", "a", "sh", "-c", "mkdir -p /srv/deep/d && echo x > /srv/deep/d/f")
      try host.succeed("sh", "-c", "mkdir -p t/deep; ln -s /run/throwaway t/deep/d")
      #expect(try host.run("stack", "cp", "a:/srv/deep", "t").status == 1)
      #expect(try host.run("test", "-e", "/run/throwaway/f").status == 1)
    }
  }

  @Test func whatCannotBeCopiedIsSaid() throws {
    try withIdle { host in
      for words in [
        ["a:/nothing", "."], ["nothing", "a:/"], ["a:/etc", "a:/srv"], ["nobody:/etc", "."], ["one", "two"],
      ] {
        let outcome = try host.start(["stack", "cp"] + words).wait(limit: .seconds(60))
        #expect(outcome.status == 1 && outcome.errors.hasPrefix("error: "), "\(outcome)")
      }
      try host.write("x", to: "x")
      #expect(try host.run("stack", "cp", "x", "a:/nowhere/x").errors.contains("/nowhere"))
      try host.succeed("stack", "stop", "a", "-t", "0")
      #expect(try host.run("stack", "cp", "x", "a:/srv/x").errors.contains("stack start c/a"))
    }
  }
}
