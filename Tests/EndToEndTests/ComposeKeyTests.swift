import Foundation
import Testing

/// The effects of Compose's keys on services that run.
@Suite struct ComposeKeyTests {
  @Test func secretsAndConfigsAreFilesInTheService() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.write("of the file\n", to: "secret.txt")
      try host.write("WORD='a$b'\n", to: ".env")
      try host.up(
        """
        name: t
        services:
          web:
            command: [sleep, infinity]
            user: "1000:1000"
            secrets: [file, {source: word, target: pass/word, uid: "1000", gid: "1001", mode: 0440}]
            configs: [motd, {source: motd, target: /etc/app/motd, mode: 0600}]
        secrets:
          file: {file: ./secret.txt}
          word: {environment: WORD}
        configs:
          motd: {content: "hello ${WHO:-you}\\n"}
        """, named: "t")
      #expect(try host.within("web", "cat /run/secrets/file /motd") == "of the file\nhello you")
      #expect(try host.within("web", "cat /run/secrets/pass/word") == "a$b")
      #expect(try host.within("web", "stat -c '%a %u %g' /run/secrets/pass/word /motd") == "440 1000 1001\n444 0 0")
      #expect(try host.within("web", "cat /etc/app/motd 2>&1 || true").contains("Permission denied"))
      #expect(try host.within("web", "touch /motd 2>&1 || true").contains("touch:"))
      try host.succeed("stack", "down", "t")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func volumesOfAnotherServiceAreTheSame() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(
        """
        name: t
        services:
          a:
            command: [sleep, infinity]
            volumes_from: ["data:ro"]
          b: {command: [sleep, infinity], volumes_from: [data]}
          data:
            command: [sleep, infinity]
            volumes: [/data, "named:/named", "./bound:/bound"]
        volumes: {named: {}}
        """, named: "t")
      try host.within("b", "echo 1 >/data/f; echo 2 >/named/f; echo 3 >/bound/f")
      #expect(try host.within("a", "cat /data/f /named/f /bound/f") == "1\n2\n3")
      #expect(try host.within("data", "cat /data/f") == "1")
      #expect(try host.within("a", "touch /data/g 2>&1 || true").contains("Read-only file system"))
      try host.succeed("stack", "down", "-v", "t")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func onlyTheLinkedServiceKnowsTheNames() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: t
        services:
          web: {command: [sleep, infinity], links: ["db:database"]}
          db: {command: [sleep, infinity]}
          other: {command: [sleep, infinity], external_links: ["t-db-1:far"]}
        """, named: "t")
      let address = try host.ipAddress(of: "db")
      for name in ["database", "db", "db-1", "db_1", "t-db-1"] {
        #expect(try host.within("web", "getent hosts \(name)").hasPrefix(address), "\(name)")
      }
      #expect(try host.within("other", "getent hosts database || echo none") == "none")
      #expect(try host.within("other", "getent hosts far").hasPrefix(address))
    }
  }

  @Test func includedServicesRun() throws {
    try ThrowawayHost.with { host in
      try host.succeed("mkdir", "-p", "sub")
      try host.write("GREETING=inner\n", to: "sub/.env")
      try host.write(
        "services: {api: {command: [sleep, infinity], environment: [GREETING], volumes: [\"./d:/d\"]}}",
        to: "sub/compose.yaml")
      try host.up(
        "name: t\ninclude: [sub/compose.yaml]\nservices: {web: {command: [sleep, infinity], depends_on: [api]}}",
        named: "t")
      #expect(try host.within("api", "echo $GREETING; touch /d/x") == "inner")
      try host.succeed("test", "-e", "sub/d/x")
    }
  }

  @Test func aVolumeByNameIsOneForAllStacks() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      func file(_ name: String, _ volume: String) -> String {
        "name: \(name)\nservices: {\(name): {command: [sleep, infinity], volumes: [\"v:/v\"]}}\nvolumes: {v: {\(volume)}}"
      }
      try host.write(file("lost", "external: true, name: nowhere"), to: "lost.stack")
      let lost = try host.run("stack", "up", "lost.stack")
      #expect(lost.status == 1 && lost.errors.contains("there is no volume nowhere"), "\(lost)")
      try host.succeed("stack", "volume", "create", "made")
      try host.up(file("one", "name: shared"), named: "one")
      try host.up(file("two", "external: true, name: shared"), named: "two")
      try host.up(file("three", "external: true, name: made"), named: "three")
      try host.within("one/one", "echo 1 >/v/f")
      #expect(try host.within("two/two", "cat /v/f") == "1")
      let inUse = try host.run("stack", "volume", "rm", "shared")
      #expect(inUse.status == 1 && inUse.errors.contains("volume shared is in use by one, two"), "\(inUse)")
      try host.succeed("stack", "down", "-v", "-s", "one")
      #expect(try host.within("two/two", "cat /v/f") == "1", "another stack still has it")
      try host.succeed("stack", "down", "-v", "-s", "two")
      try host.succeed("stack", "down", "-v", "-s", "three")
      #expect(try host.succeed("stack", "volume", "ls", "-q") == "made\nshared", "external volumes stay")
      try host.succeed("stack", "volume", "rm", "made")
      try host.succeed("stack", "volume", "prune", "--force")
      #expect(try host.succeed("stack", "volume", "ls", "-q") == "")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func aFileSystemIsMountedAsAVolume() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.succeed("mkdir", "-p", "there/deep/er")
      try host.up(
        """
        name: t
        services:
          a:
            command: [sleep, infinity]
            volumes:
              - mem:/mem
              - dir:/dir
              - {type: volume, source: dir, target: /part, volume: {subpath: deep/er}}
        volumes:
          mem: {driver_opts: {type: tmpfs, device: tmpfs, o: "size=1m,noexec"}}
          dir: {driver_opts: {type: none, device: ./there, o: bind}}
        """, named: "t")
      #expect(try host.within("a", "stat -f -c %T /mem") == "tmpfs")
      try host.within("a", "echo 1 >/dir/f")
      try host.within("a", "touch /part/g")
      #expect(try host.succeed("cat", "there/f") == "1")
      try host.succeed("test", "-e", "there/deep/er/g")
      try host.succeed("stack", "down", "-v", "t")
      #expect(try host.succeed("cat", "there/f") == "1", "what lies elsewhere stays")
      try host.succeed("rm", "-r", "there")
      try host.expectUnchanged(since: before)
    }
  }

  /// Services can write links into a volume. None of them leads out of it.
  @Test func aPartOfAVolumeIsInsideIt() throws {
    try ThrowawayHost.with { host in
      func file(_ part: String) -> String {
        """
        name: t
        services:
          a: {command: [sleep, infinity], volumes: ["data:/data", "data2:/data2"]}
          b:
            command: [sleep, infinity]
            volumes: [{type: volume, source: data, target: /part, volume: {subpath: \(part)}}]
        volumes: {data: {}, data2: {}}
        """
      }
      try host.write(file("inner"), to: "t.stack")
      try host.succeed("stack", "up", "t.stack", "a")
      try host.within("a", "mkdir -p /data/dir && echo 1 >/data/dir/f && ln -s dir /data/inner")
      try host.within("a", "ln -s /etc /data/host && ln -s ../data2 /data/beside && ln -s .. /data/above")
      try host.succeed("stack", "up", "t.stack")
      #expect(try host.within("b", "cat /part/f") == "1")
      for part in ["host", "beside", "above"] {
        try host.write(file(part), to: "t.stack")
        let outcome = try host.run("stack", "up", "t.stack")
        #expect(
          outcome.status == 1 && outcome.errors.contains("a link on the way leads out of the volume"),
          "\(part): \(outcome)")
      }
    }
  }

  @Test func deeperMountsStayVisible() throws {
    try ThrowawayHost.with { host in
      try host.succeed("sh", "-c", "mkdir -p outer/inner inner src/sub; echo in >inner/f; echo out >outer/g")
      try host.succeed("mount", "--make-rshared", "/")
      try host.up(
        """
        name: t
        services:
          child: {command: [sleep, infinity], volumes: ["./inner:/app/inner", "./outer:/app"]}
          above: {command: [sleep, infinity], volumes: ["./inner:/data/inner", "./src:/src:rslave"], tmpfs: [/data]}
          volume: {command: [sleep, infinity], volumes: ["/app/inner", "./outer:/app"]}
          memory:
            command: [sleep, infinity]
            tmpfs: ["/u:uid=1000,gid=1001,mode=0750", "/x:exec,size=1m"]
        """, named: "t")
      #expect(try host.within("child", "cat /app/inner/f /app/g") == "in\nout")
      #expect(try host.within("above", "cat /data/inner/f") == "in")
      try host.within("volume", "touch /app/inner/x")
      #expect(try host.run("test", "-e", "outer/inner/x").status != 0, "what was meant for the volume")
      #expect(try host.within("memory", "stat -c '%a %u %g' /u") == "750 1000 1001")
      #expect(try host.within("memory", "cp /bin/true /u/t; /u/t 2>/dev/null && echo runs || echo no") == "no")
      #expect(try host.within("memory", "cp /bin/true /x/t; /x/t && echo runs || echo no") == "runs")
      try host.succeed("sh", "-c", "mount -t tmpfs late src/sub && touch src/sub/late")
      #expect(try host.within("above", "ls /src/sub") == "late", "a mount of the host that came later")
      try host.succeed("umount", "src/sub")
    }
  }

  @Test func createdNetworksAreJoinedByStacks() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      func file(_ name: String) -> String {
        "name: \(name)\nservices: {\(name)1: {command: [sleep, infinity], networks: [proxy]}}\n"
          + "networks: {proxy: {external: true}}"
      }
      try host.succeed("stack", "network", "create", "--subnet", "10.77.0.0/24", "proxy")
      let again = try host.run("stack", "network", "create", "proxy")
      #expect(again.status == 1 && again.errors.contains("there is a network proxy already"), "\(again)")
      try host.up(file("one"), named: "one")
      try host.up(file("two"), named: "two")
      let address = try host.ipAddress(of: "one1")
      #expect(address.hasPrefix("10.77.0."))
      #expect(try host.within("two/two1", "getent hosts one1").hasPrefix(address))
      try host.within("two/two1", "ping -c 1 -W 5 one1")
      let later = try host.ipAddress(of: "two1")
      for name in ["two1", "two-two1-1"] {
        #expect(try host.within("one/one1", "getent hosts \(name)").hasPrefix(later), "one came up before two")
      }
      let inUse = try host.run("stack", "network", "rm", "proxy")
      #expect(inUse.status == 1 && inUse.errors.contains("stack one is on its network"), "\(inUse)")
      #expect(try host.succeed("stack", "network", "inspect", "proxy").contains("\"two/two1\""))
      try host.succeed("stack", "down", "one")
      try host.succeed("stack", "down", "two")
      #expect(try host.succeed("stack", "network", "prune", "--force") == "proxy")
      #expect(try host.succeed("stack", "network", "ls", "-q") == "")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func aNetworkCanKeepItsServicesApart() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: t
        services:
          a: {command: [sleep, infinity]}
          b: {command: [sleep, infinity]}
        networks:
          default:
            driver_opts:
              com.docker.network.bridge.enable_icc: "false"
              com.docker.network.bridge.enable_ip_masquerade: "false"
        """, named: "t")
      let address = try host.ipAddress(of: "b")
      #expect(try host.within("a", "ping -c 1 -W 1 \(address) >/dev/null 2>&1 && echo yes || echo no") == "no")
      #expect(try host.within("a", "ip route show default").contains("via"))
      let table = try host.succeed("nft", "list", "chain", "inet", "stack-t", "leave")
      #expect(table.contains("iifname \"t-default\" oifname != @bridges accept"), "\(table)")
    }
  }

  @Test func anEditorsSchemaTakesWhatTheReaderTakes() throws {
    try ThrowawayHost.with { host in
      try host.write(try host.succeed("stack", "config", "--schema"), to: "schema.json")
      try host.write(
        """
        import json, sys, yaml, jsonschema
        schema = json.load(open("schema.json"))
        jsonschema.Draft7Validator.check_schema(schema)
        validator = jsonschema.Draft7Validator(schema)
        good = sys.argv[1:]
        for path in good:
            for error in validator.iter_errors(yaml.safe_load(open(path))):
                print(path, list(error.path), error.message[:200])
        bad = [
            "services: {web: {comand: x}}", "services: {web: {tty: maybe}}", "services: {web: {restart: {}}}",
            "services: {web: {ports: 80}}", "services: {web: {depends_on: {db: {condition: healthy}}}}",
            "services: {web: {deploy: {mode: all}}}", "services: {web: {oom_score_adj: 2000}}", "network: {}",
        ]
        for text in bad:
            if validator.is_valid(yaml.safe_load(text)):
                print("taken:", text)
        """, to: "check.py")
      let examples = Repository.stackFile("*.stack")
      #expect(try host.succeed("sh", "-c", "python3 check.py \(examples)") == "")
    }
  }
}

extension ThrowawayHost {
  /// The output of a shell's line in a service.
  @discardableResult
  fileprivate func within(_ service: String, _ line: String) throws -> String {
    try succeed("stack", "exec", service, "sh", "-c", line)
  }
}
