import Testing
@testable import StackFiles

@Suite struct ConfigTests {
  /// Every key once, and values that other readers of YAML could take for something else.
  static let everything = """
    name: lab
    x-env: &env {A: "1", B: "yes", C: "$$HOME", D: "a: b # c", E: "", F: "line\\nline", G: "22:22", H: "é\\t\\e", I: "-"}
    services:
      web:
        rootfs: {path: "./my root", mode: direct}
        entrypoint: [/bin/sh, -c]
        command: ["echo $$1 \\"x\\"", "~", "null", "0x10", "on"]
        environment: *env
        working_dir: /srv/www
        user: 1000:50
        hostname: web.lab
        domainname: lab
        networks:
          front: {ipv4_address: 10.1.0.10, mac_address: "02:42:0a:01:00:0a", aliases: [www, "1"], gw_priority: -1}
          back: {ipv6_address: "fd00:2::5"}
        ports:
          - "8080:80"
          - "127.0.0.1:53:53/udp"
          - "[::1]:8000-8002:80-82"
          - "9000-9009:90"
          - 70
          - "3000-3001"
          - {target: 81, published: 8083, from: [10.0.0.0/8, "::1"]}
          - {target: 84-86, published: 8084-8086, from: ["fd00::/8"]}
        expose: [80, 5000-5002/udp]
        volumes:
          - ./pages:/www:ro
          - data:/data
          - /cache
          - {type: bind, source: /srv, target: /srv, bind: {create_host_path: false}}
          - {type: tmpfs, target: /scratch, tmpfs: {size: 64m, mode: 0o1777}}
        tmpfs: ["/run:size=1m,uid=5,gid=6,exec", /tmp]
        depends_on: {db: {condition: service_healthy, restart: true}, other: {required: false}}
        healthcheck: {test: curl -f "$$URL", interval: 5s, retries: 9, start_period: 1m30s, disable: false}
        restart: on-failure:3
        stop_signal: RTMIN+3
        stop_grace_period: 1m
        init: false
        tty: true
        stdin_open: true
        read_only: true
        container_name: www
        profiles: [dev]
        labels: [a=b, "c=$$d"]
        cap_add: [NET_ADMIN, ALL]
        cap_drop: [CAP_CHOWN]
        privileged: true
        security_opt: ["no-new-privileges:true", "seccomp=unconfined"]
        mem_limit: 64m
        memswap_limit: -1
        mem_reservation: 32m
        cpus: 1.05
        cpu_shares: 512
        cpuset: 0-1,3
        pids_limit: -1
        ulimits: {nofile: {soft: 10, hard: 20}, core: -1}
        oom_score_adj: -5
        shm_size: 8m
        sysctls: {net.ipv4.conf.eth0.forwarding: 1}
        devices: ["/dev/fuse:/dev/fuse:rw"]
        device_cgroup_rules: ["c 10:* rwm"]
        group_add: [audio, 5]
        ipc: service:db
        pid: host
        time_offset: {monotonic: 90m, boottime: -1d}
        blkio_config:
          weight: 300
          weight_device: [{path: /dev/sda, weight: 400}]
          device_read_bps: [{path: /dev/sda, rate: 12mb}]
          device_write_iops: [{path: /dev/sdb, rate: 120}]
      db: {command: db, healthcheck: {test: [CMD, "true"]}, scale: 2, restart: unless-stopped}
    networks:
      front: {name: f, subnet: 10.1.0.0/24, gateway: 10.1.0.1, ip_range: 10.1.0.128/25, internal: true, labels: {x: y}}
      back:
        enable_ipv6: true
        ipam: {config: [{subnet: 10.2.0.0/24}, {subnet: "fd00:2::/64", gateway: "fd00:2::9"}]}
    volumes:
      data: {name: d, driver: local, labels: {"on": "off"}}
    """

  @Test func readingWhatIsPrintedGivesTheSameStack() throws {
    let outcome = load(Self.everything)
    #expect(DiagnosticRenderer().render(outcome.diagnostics) == "")
    let stack = try #require(outcome.stack)
    for text in [stack.output.yaml, stack.output.json, stack.output.prettyJSON] {
      let again = load(text)
      #expect(DiagnosticRenderer().render(again.diagnostics) == "")
      var second = try #require(again.stack)
      for network in stack.networks where network.isImplicit { second.networks[network.name.value] = network }
      #expect(second == stack)
      #expect(second.output == stack.output)
    }
  }

  @Test func isPrintedInOneForm() throws {
    let stack = try #require(
      load(
        """
        services:
          web:
            command: nginx -g "daemon off;"
            environment: [A=$A, B=b]
            ports: ["8081:80"]
            volumes: [./www:/www:ro]
            depends_on: [db]
          db: {command: db, networks: [back]}
        networks: {back: {subnet: 10.1.0.0/24}}
        """, environment: ["A": "a$b"]
      ).stack)
    #expect(
      stack.output.yaml
        == """
        name: web
        services:
          web:
            rootfs: host
            command:
              - nginx
              - "-g"
              - "daemon off;"
            environment:
              A: a$$b
              B: b
            networks:
              default: {}
            ports:
              - target: 80
                published: "8081"
                protocol: tcp
            volumes:
              - type: bind
                source: /lab/www
                bind:
                  create_host_path: true
                target: /www
                read_only: true
            depends_on:
              db:
                condition: service_started
                required: true
            restart: "no"
            stop_grace_period: "10s"
            init: true
            scale: 1
          db:
            rootfs: host
            command:
              - db
            networks:
              back: {}
            restart: "no"
            stop_grace_period: "10s"
            init: true
            scale: 1
        networks:
          back:
            driver: bridge
            ipam:
              config:
                - subnet: "10.1.0.0/24"
          default:
            driver: bridge

        """.replacing("a$$b", with: "\"a$$b\""))
  }

  @Test(arguments: [
    ("a", "a"), ("yes", "\"yes\""), ("", "\"\""), ("1", "\"1\""), ("/a/b", "/a/b"), ("-a", "\"-a\""),
    ("a b", "\"a b\""),
    ("a\nb", "\"a\\nb\""), ("é", "\"é\""), ("\u{7F}\u{2028}", "\"\\u007f\\u2028\""), ("a\\\"", "\"a\\\\\\\"\""),
  ])
  func textIsQuotedWhereItMustBe(_ text: String, _ yaml: String) {
    #expect(OutputValue.text(text).yaml == yaml + "\n")
  }

  @Test func nestedListsKeepTheirShape() {
    let value = OutputValue.list([
      .list([.number(1), .number(2)]), .mapping(["a": .list([.bool(true)]), "b": .mapping([])]), .list([]),
    ])
    #expect(value.yaml == "- - 1\n  - 2\n- a:\n    - true\n  b: {}\n- []\n")
    #expect(value.json == "[[1,2],{\"a\":[true],\"b\":{}},[]]")
  }

  @Test func equalityLooksAtValuesNotPlaces() {
    let first = load("services: {web: {command: nginx}}").stack
    let second = load("# a comment\nservices:\n  web:\n    command: [nginx]\n").stack
    #expect(first == second)
    #expect(first != load("services: {web: {command: [nginx, -v]}}").stack)
  }
}
