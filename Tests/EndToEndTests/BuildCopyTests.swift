import Foundation
import Glibc
import Testing

/// COPY and ADD: what they take, from where, and what they say when they cannot.
@Suite(.enabled(if: TestBuilds.hasTools, "busybox is not installed: tools/setup --tests"))
struct BuildCopyTests {
  @Test func parentsKeepTheFoldersOfSources() throws {
    try TestBuilds.with { host in
      for name in ["web/package.json", "api/package.json", "api/src/main.js", "web/deep/er/package.json"] {
        try host.write(name, to: "x/\(name)")
      }
      try host.succeed("chmod", "750", "x/api")
      let said = try host.built(
        """
        FROM base AS make
        RUN mkdir -p /out/usr/lib && echo made >/out/usr/lib/made
        FROM base
        COPY --parents **/package.json /app/
        COPY --parents api/./src /app/
        COPY --from=make --parents /out/./usr/lib/made /
        RUN cd /app && find . -type f | sort | tr '\\n' ' '; cat /usr/lib/made; stat -c 'mode %a' /app/api
        """)
      #expect(
        said.contains(
          "  ./api/package.json ./src/main.js ./web/deep/er/package.json ./web/package.json"), "\(said)")
      #expect(said.contains("made") && said.contains("mode 750"), "\(said)")
      try host.write("more", to: "x/api/src/main.js")
      let plan = try host.built(
        try host.succeed("cat", "x/Dockerfile"), options: ["--dry-run"])
      #expect(plan.contains("COPY --parents **/package.json /app/: cached"), "\(plan)")
      #expect(plan.contains("COPY --parents api/./src /app/: to be done, since api/src/main.js changed"), "\(plan)")
    }
  }

  @Test func whatIsTakenFromAStageCountsByItsContents() throws {
    try TestBuilds.with { host in
      func dockerfile(_ made: String) -> String {
        """
        FROM base AS make
        COPY input /in
        RUN mkdir -p /out && echo \(made) >/out/app && ln -s app /out/link
        FROM base
        COPY --from=make /out /app/
        RUN --mount=from=make,source=/out,target=/m cat /m/app
        """
      }
      try host.write("one", to: "x/input")
      #expect(try host.built(dockerfile("same")).contains("  same"))
      // The stage is another one, and has the same files there.
      try host.write("two", to: "x/input")
      let again = try host.built(dockerfile("same"))
      #expect(again.contains("COPY input /in (input changed)"), "\(again)")
      for step in ["COPY --from=make /out /app/: cached", "cat /m/app: cached"] {
        #expect(again.contains(step), "\(again)")
      }
      try host.built(dockerfile("other"), options: ["--target", "make"])
      let plan = try host.built(dockerfile("other"), options: ["--dry-run"])
      #expect(plan.contains("/app/: to be done, since out/app changed, in stage make"), "\(plan)")
      #expect(try host.built(dockerfile("other")).contains("  other"))
    }
  }

  @Test func holesOfFilesAreKept() throws {
    try TestBuilds.with { host in
      try host.write("", to: "x/sparse")
      try host.succeed("truncate", "-s", "200M", "x/sparse")
      try host.succeed("sh", "-c", "printf data | dd of=x/sparse bs=1 seek=100000000 conv=notrunc 2>&1")
      let said = try host.built(
        """
        FROM base AS first
        COPY sparse /one
        FROM base
        COPY --from=first /one /two
        RUN set -- $(stat -c '%s %b' /two); [ $1 = 209715200 ] && [ $2 -lt 1000 ] && echo it is sparse; \
          dd if=/two bs=1 skip=100000000 count=4 2>/dev/null; echo
        """)
      #expect(said.contains("  it is sparse\n") && said.contains("  data\n"), "\(said)")
    }
  }

  /// Folders that the image has are filled where they are, others beside it: names of one file may be in both.
  @Test func foldersOfTheImageAndNewOnesAreOneTree() throws {
    try TestBuilds.with { host in
      try host.succeed(
        "sh", "-ec",
        """
        mkdir -p x/a/old x/a/new/deep x/b/new
        echo 1 >x/a/old/f; ln x/a/old/f x/a/new/deep/g; ln x/a/old/f x/a/top; ln x/a/old/f x/a/zz; echo b >x/b/new/h
        chmod 2750 x/a/new; chmod 700 x/a/old; chmod 711 x/b/new
        touch -d @1000000000 x/a/old x/a/new x/a/new/deep x/b/new
        """)
      let said = try host.built(
        """
        FROM base
        RUN mkdir -p /srv/app/old && echo low >/srv/app/top && echo low >/srv/app/old/f && ln -s srv /link
        COPY a b /link/app/
        COPY --chown=5:6 a/new /made/below/
        RUN cd /srv/app; stat -c '%n %a %u:%g %h' old old/f new new/h new/deep/g top zz /made/below /made/below/deep/g; \
          stat -c '%n %Y' old new new/deep; stat -c %i top old/f new/deep/g zz | sort -u | wc -l
        """)
      let expected = [
        "old 700 0:0 1", "old/f 644 0:0 4", "new 711 0:0 3", "new/h 644 0:0 1", "new/deep/g 644 0:0 4", "top 644 0:0 4",
        "zz 644 0:0 4", "/made/below 755 5:6 3", "/made/below/deep/g 644 5:6 1", "old 1000000000", "new 1000000000",
        "new/deep 1000000000", "1",
      ]
      for line in expected { #expect(said.contains("  \(line)\n"), "\(line): \(said)") }
    }
  }

  @Test func chmodTakesWhatTheCommandTakes() throws {
    try TestBuilds.with { host in
      try host.write("#!/bin/sh", to: "x/d/run.sh")
      try host.write("text", to: "x/d/text")
      try host.succeed("chmod", "-R", "u=rwX,go=", "x/d")
      try host.succeed("chmod", "u+x", "x/d/run.sh")
      let said = try host.built(
        """
        FROM base
        COPY --chmod=u=rwX,go=rX d /d/
        ADD --chmod=+x d/text /text
        COPY --chmod=a+x,u-w <<EOF /heredoc
        echo
        EOF
        RUN stat -c '%n %a' /d/run.sh /d/text /text /heredoc
        """)
      for text in ["/d/run.sh 755", "/d/text 644", "/text 711", "/heredoc 555"] {
        #expect(said.contains("  \(text)\n"), "\(text): \(said)")
      }
      let wrong = try host.build("FROM base\nCOPY --chmod=u+q d /d/")
      #expect(wrong.status == 2 && wrong.errors.contains("--chmod cannot be \"u+q\""), "\(wrong)")
      #expect(wrong.errors.contains("x/Dockerfile:2:14"), "\(wrong)")
    }
  }

  @Test func addFetchesFilesAndHoldsThemToTheirChecksums() throws {
    try TestBuilds.with { host in
      try host.write("inside", to: "srv/tree/d/file")
      try host.write("plain", to: "srv/some/file.txt")
      try host.succeed("tar", "-C", "srv/tree", "-czf", "srv/t.tar.gz", "d")
      try host.succeed("touch", "-d", "@1000000000", "srv/some/file.txt")
      let server = try host.start(["python3", "-m", "http.server", "8123", "--bind", "198.51.100.2", "-d", "srv"])
      defer { try? host.signal(SIGTERM, to: server) }
      #expect(try host.eventually { try host.run("curl", "-sf", "198.51.100.2:8123/").status == 0 })
      let sum = try host.succeed("sha256sum", "srv/some/file.txt").prefix(64)
      let address = "http://198.51.100.2:8123"
      let said = try host.built(
        """
        FROM base
        ARG SUM=sha256:\(sum)
        ADD --checksum=$SUM \(address)/some/file.txt /got/
        ADD \(address)/t.tar.gz /packed/
        ADD --unpack=true \(address)/t.tar.gz /unpacked/
        RUN stat -c '%n %a %Y' /got/file.txt; ls /packed; cat /unpacked/d/file
        """)
      #expect(said.contains("/got/file.txt 600 1000000000") && said.contains("  t.tar.gz\n"), "\(said)")
      #expect(said.contains("  inside\n"), "\(said)")
      // With its checksum it is known without being fetched again.
      try host.signal(SIGTERM, to: server)
      let again = try host.built("FROM base\nADD --checksum=sha256:\(sum) \(address)/some/file.txt /got/")
      #expect(again.contains("file.txt /got/: cached"), "\(again)")

      let gone = try host.build("FROM base\nADD \(address)/other /")
      #expect(gone.status == 1 && gone.errors.contains("x/Dockerfile:2:5"), "\(gone)")
      let short = try host.build("FROM base\nADD --checksum=sha256:12 \(address)/some/file.txt /")
      #expect(short.status == 2 && short.errors.contains("64 digits that sha256sum prints"), "\(short)")
    }
  }

  @Test func aChecksumThatDiffersIsSaidAndNothingIsKept() throws {
    try TestBuilds.with { host in
      try host.write("plain", to: "srv/file")
      let server = try host.start(["python3", "-m", "http.server", "8124", "--bind", "198.51.100.2", "-d", "srv"])
      defer { try? host.signal(SIGTERM, to: server) }
      #expect(try host.eventually { try host.run("curl", "-sf", "198.51.100.2:8124/").status == 0 })
      let wrong = String(repeating: "0", count: 64)
      let outcome = try host.build("FROM base\nADD --checksum=sha256:\(wrong) http://198.51.100.2:8124/file /")
      #expect(outcome.status == 1 && outcome.errors.contains("and not sha256:\(wrong)"), "\(outcome)")
      #expect(try host.leftovers() == "")
    }
  }

  @Test(arguments: [
    ("COPY ap.py /", "there is no \"ap.py\" in the context", "did you mean \"app.py\"?", "2:6"),
    ("COPY app.py secret /x/", "\"secret\" is left out of the context", "!secret", "2:13"),
    ("COPY --from=base /nothing /", "there is no \"/nothing\" in image base", "", "2:18"),
    ("COPY --chown=nobody2 app.py /", "no user or group nobody2", "", "2:14"),
    ("ADD https://example.org/a.git /", "does not fetch from git", "clone it into the context", "2:5"),
    ("RUN --mount=type=ssh true", "no ssh agent", "--mount=type=secret", "2:13"),
  ])
  func whatCannotBeDoneIsShownInItsPlace(_ line: String, _ message: String, _ help: String, _ place: String) throws {
    try TestBuilds.with { host in
      try host.write("app", to: "x/app.py")
      try host.write("key", to: "x/secret")
      try host.write("secret\n", to: "x/.dockerignore")
      let outcome = try host.build("FROM base\n\(line)")
      #expect(outcome.status != 0, "\(outcome)")
      for text in [message, help, "x/Dockerfile:\(place)", "2 │ \(line)"] where !text.isEmpty {
        #expect(outcome.errors.contains(text), "\(text): \(outcome)")
      }
      #expect(try host.leftovers() == "")
    }
  }

  @Test func theDockerfileMayLieOutsideOfTheContext() throws {
    try TestBuilds.with { host in
      try host.write("FROM base\nCOPY . /c/\nRUN ls /c | tr '\\n' ' '", to: "docker/app.Dockerfile")
      try host.write("*.log\n", to: "docker/app.Dockerfile.dockerignore")
      try host.write("*\n", to: "ctx/.dockerignore")
      try host.write("one", to: "ctx/one")
      try host.write("two", to: "ctx/two.log")
      try host.write(
        "services: {web: {build: {context: ./ctx, dockerfile: ../docker/app.Dockerfile}}}", to: "s.stack")
      let said = try host.start(["stack", "build", "--progress", "plain", "-f", "s.stack"]).wait(limit: .seconds(60))
      #expect(said.status == 0 && said.errors.contains("  one \n"), "\(said)")
      let folder = try host.succeed("pwd")
      for file in ["docker/app.Dockerfile", "\(folder)/docker/app.Dockerfile"] {
        let outcome = try host.run("stack", "build", "--progress", "plain", "--no-cache", "-t", "x", "-f", file, "ctx")
        #expect(outcome.status == 0 && outcome.errors.contains("  one \n"), "\(outcome)")
      }
      let piped = try host.run(
        "sh", "-c", "printf 'FROM base\\nRUN echo piped' | stack build --progress plain -t x -f - ctx")
      #expect(piped.status == 0 && piped.errors.contains("  piped"), "\(piped)")
      let missing = try host.run("stack", "build", "-t", "x", "-f", "docker/other", "ctx")
      #expect(missing.status == 1 && missing.errors.contains("there is no docker/other"), "\(missing)")
    }
  }
}
