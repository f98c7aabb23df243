import Foundation
import Glibc
import Testing

/// `stack build` as a user drives it.
@Suite(.enabled(if: TestBuilds.hasTools, "busybox is not installed: tools/setup --tests"))
struct BuildTests {
  @Test func aFolderBecomesAnImageThatComesUp() throws {
    try TestBuilds.with { host in
      try host.write("#!/bin/sh\necho \"hello $GREETING\"\nexec sleep 1000\n", to: "x/hello.sh")
      try host.succeed("chmod", "755", "x/hello.sh")
      try host.built(
        """
        FROM base AS make
        RUN echo made >/made
        FROM base
        WORKDIR /srv
        COPY --from=make /made .
        COPY --chown=web --chmod=550 hello.sh /usr/bin/
        ENV GREETING=you
        EXPOSE 8080
        USER web
        ENTRYPOINT ["hello.sh"]
        """)
      try host.up("services: {web: {image: x}}", named: "s")
      #expect(try host.eventually { try host.succeed("stack", "logs", "web").contains("hello you") })
      #expect(try host.succeed("stack", "exec", "web", "cat", "/srv/made") == "made")
      #expect(
        try host.succeed("stack", "exec", "web", "stat", "-c", "%u:%g %a", "/usr/bin/hello.sh") == "1000:1000 550")
      #expect(try host.succeed("stack", "exec", "web", "id", "-u") == "1000")
      try host.succeed("stack", "down", "s")
    }
  }

  @Test func aStepThatWasDoneIsNotDoneAgainAndTheFirstOtherSaysWhy() throws {
    try TestBuilds.with { host in
      let text = """
        FROM base
        ARG VERSION=1
        WORKDIR /srv
        COPY . .
        RUN echo $VERSION >/version
        """
      try host.write("one", to: "x/src/app.py")
      try host.write("*.log\n", to: "x/.dockerignore")
      try host.built(text)
      let id = try host.succeed("stack", "images", "-q", "x")
      func plan(_ options: String...) throws -> String { try host.built(text, options: ["--dry-run"] + options) }
      #expect(try !plan().contains("to be done"))
      #expect(try !host.built(text).contains("done in"))
      #expect(try host.succeed("stack", "images", "-q", "x") == id)

      try host.write("more", to: "x/debug.log")
      try host.succeed("touch", "x/src/app.py")
      #expect(try !plan().contains("to be done"))
      try host.write("two", to: "x/src/app.py")
      #expect(try plan().contains("COPY . .: to be done, since src/app.py changed"))
      try host.write("one", to: "x/src/app.py")
      #expect(try plan("--build-arg", "VERSION=2").contains("to be done, since argument VERSION was 1"))
      #expect(try plan("--no-cache").contains("WORKDIR /srv: to be done, since --no-cache was given"))
      // What was only asked has changed nothing.
      #expect(try !host.built(text).contains("done in"))
    }
  }

  @Test func mountsShowWhatTheySayAndLeaveNothing() throws {
    try TestBuilds.with { host in
      try host.write("from the context", to: "x/file")
      let said = try host.built(
        """
        FROM base AS other
        RUN mkdir /d && echo from-a-stage >/d/file
        FROM base
        RUN --mount=type=cache,target=/var/cache/a echo first >>/var/cache/a/log
        RUN --mount=type=cache,target=/var/cache/a cat /var/cache/a/log
        RUN --mount=type=cache,id=b,target=/b,uid=1000,mode=700 stat -c 'cache %u %a' /b
        RUN --mount=type=bind,from=other,source=/d,target=/mnt cat /mnt/file; touch /mnt/new || echo read-only
        RUN --mount=type=bind,source=file,target=/deep/er/file,rw cat /deep/er/file; echo more >>/deep/er/file
        RUN --mount=type=tmpfs,target=/scratch touch /scratch/gone
        RUN test ! -e /mnt/file && test ! -e /scratch && test ! -e /deep && test ! -e /b && echo nothing
        RUN touch /kept
        """)
      for text in ["first", "cache 1000 700", "from-a-stage", "read-only", "from the context", "nothing"] {
        #expect(said.contains("  \(text)\n"), "\(text) in \(said)")
      }
      #expect(try host.layers(of: "x") == ["kept"])
      #expect(try host.succeed("cat", "x/file") == "from the context")
      #expect(try host.leftovers() == "")
    }
  }

  @Test func aSecretLeavesNoTrace() throws {
    try TestBuilds.with { host in
      try host.write("tr0ub4dor-secret\n", to: "token")
      let said = try host.built(
        """
        FROM base
        RUN --mount=type=secret,id=token,required cat /run/secrets/token && stat -c 'secret %u %a' /run/secrets/token
        RUN --mount=type=secret,id=token,env=TOKEN echo "is $TOKEN"
        RUN test ! -e /run/secrets/token && touch /done
        """, options: ["--secret", "id=token,src=token"])
      #expect(said.contains("secret 0 400") && said.contains("is ***") && !said.contains("tr0ub4dor"))
      #expect(try host.run("grep", "-rqa", "tr0ub4dor", "/var/lib/stack", "/run/stack").status != 0)
      #expect(try host.layers(of: "x") == ["done"])
      let failure = try host.build("FROM base\nRUN --mount=type=secret,id=other,required true")
      #expect(
        failure.status == 1 && failure.errors.contains("Dockerfile:2") && failure.errors.contains("--secret id=other"))
    }
  }

  @Test func layersHaveWhatStepsChangedAndNothingElse() throws {
    try TestBuilds.with { host in
      try host.built(
        """
        FROM base
        RUN true
        RUN mkdir -p /a/b /gone && touch /a/b/one /gone/file
        RUN ln /a/b/one /a/two && ln -s two /a/three && mkfifo /a/fifo
        RUN rm -r /gone && rm /a/b/one && rm -r /a/b && mkdir /a/b && touch /a/b/new
        """)
      let names = try host.layers(of: "x")
      #expect(names.contains("a/two") && names.contains("a/three") && names.contains("a/fifo"))
      #expect(names.contains(".wh.gone") && names.contains("a/b/new"))
      #expect(names.contains("a/b/.wh..wh..opq") || names.contains("a/b/.wh.one"))
      #expect(!names.contains { $0.hasPrefix("etc") || $0.hasPrefix("proc") })
      // Whoever reads images reads it: skopeo checks every digest.
      try host.succeed("bash", "-c", "cd /run/saved && skopeo inspect docker-archive:image.tar >/dev/null")
    }
  }

  @Test func theSameSourcesMakeTheSameImageAtAnyTime() throws {
    try TestBuilds.with { host in
      try host.write("data", to: "x/data")
      let text = "FROM base\nCOPY data /srv/\nRUN date +%s%N >/dev/null; mkdir /run/x && echo a >/run/x/y\nLABEL a=b"
      func id() throws -> String {
        try host.built(text, options: ["--no-cache"], environment: ["SOURCE_DATE_EPOCH": "1700000000"])
        return try host.succeed("stack", "images", "-q", "--no-trunc", "x")
      }
      let first = try id()
      try host.succeed("touch", "x/data")
      #expect(try id() == first)
    }
  }

  @Test func anArchiveIsUnpackedByAddAlone() throws {
    try TestBuilds.with { host in
      try host.write("inside", to: "tree/d/file")
      try host.succeed("mkdir", "-p", "x")
      for kind in ["", "z", "j", "J"] { try host.succeed("tar", "-C", "tree", "-c\(kind)f", "x/t\(kind).tar", "d") }
      let said = try host.built(
        """
        FROM base
        ADD t.tar /plain/
        ADD tz.tar tj.tar tJ.tar /all/
        COPY tz.tar /copied/
        RUN cat /plain/d/file /all/d/file && ls /copied
        """)
      #expect(said.contains("insideinside") && said.contains("tz.tar"))
    }
  }

  @Test func aFailureNamesThePlaceTheCodeAndTheLastLines() throws {
    try TestBuilds.with { host in
      let failure = try host.build("FROM base\n\nRUN for i in $(seq 30); do echo line $i; done; exit 7")
      #expect(failure.status == 1)
      #expect(failure.errors.contains("x/Dockerfile:3: ") && failure.errors.contains("exit code 7"))
      #expect(failure.errors.contains("line 30") && !failure.errors.contains("    line 10\n"))
      let missing = try host.build("FROM base\nCOPY nothing /")
      #expect(missing.status == 1 && missing.errors.contains("x/Dockerfile:2:6") && missing.errors.contains("nothing"))
      #expect(try host.leftovers() == "")
    }
  }

  @Test func pruneTakesWhatNoImageNeeds() throws {
    try TestBuilds.with { host in
      try host.built("FROM base\nRUN --mount=type=cache,target=/c dd if=/dev/zero of=/c/big bs=1M count=2; touch /one")
      try host.built("FROM base\nRUN touch /two")
      func layers() throws -> Int {
        try host.succeed("ls", "/var/lib/stack/.images/layers").split(separator: "\n").count
      }
      let all = try layers()
      try host.succeed("stack", "image", "prune")
      try host.succeed("stack", "build", "prune")
      #expect(try layers() == all)
      #expect(try host.succeed("stack", "build", "prune", "--all").contains("MB"))
      #expect(try layers() == all - 1)
      #expect(try host.succeed("ls", "/var/lib/stack/.images/builds/caches") == "")
      #expect(try host.built("FROM base\nRUN touch /two").contains("done in"))
    }
  }
}
