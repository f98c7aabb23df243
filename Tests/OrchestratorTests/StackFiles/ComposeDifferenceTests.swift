import ImageFormat
import ImageReference
import Testing
@testable import StackFiles

/// What Compose's files mean, where an earlier version read something else.
@Suite struct ComposeDifferenceTests {
  private static let others = [
    "/lab/1.env": "ONE=1\nBOTH=first\n", "/lab/2.env": "TWO=2\nBOTH=second\nOF=${ONE}-${OWN}\n",
  ]

  private func merged(_ base: String, _ over: String, environment: [String: String] = [:]) -> StackFile.Service? {
    func text(_ keys: String) -> String { "services: {web: {command: x, \(keys)}}" }
    var files = Self.others
    files["/lab/over.yaml"] = text(over)
    let outcome = load(text(base), others: files, environment: environment, paths: ["web.stack", "over.yaml"])
    #expect(outcome.diagnostics.isEmpty, "\(DiagnosticRenderer().render(outcome.diagnostics))")
    return outcome.stack?.services["web"]
  }

  private func variables(_ service: StackFile.Service?) -> [String] {
    service?.environment.map { "\($0.name.value)=\($0.value)" }.sorted() ?? []
  }

  // MARK: a, d, l, m: several files

  @Test(arguments: [
    ("tmpfs: /one", "tmpfs: [/two]"), ("tmpfs: [/one]", "tmpfs: /two"), ("tmpfs: /one", "tmpfs: /two"),
  ])
  func textAndListsOfFoldersJoin(_ base: String, _ over: String) {
    #expect(merged(base, over)?.mounts.map(\.target.value) == ["/one", "/two"])
  }

  @Test(arguments: [
    ("dns: 10.0.0.1, dns_search: a.example", "dns: [10.0.0.2], dns_search: b.example"),
    ("dns: [10.0.0.1], dns_search: [a.example]", "dns: [10.0.0.2, 10.0.0.1], dns_search: [a.example, b.example]"),
  ])
  func resolversJoin(_ base: String, _ over: String) {
    let resolution = merged(base, over)?.nameResolution
    #expect(resolution?.servers.map(\.description).sorted() == ["10.0.0.1", "10.0.0.2"])
    #expect(resolution?.search?.map(\.value) == ["a.example", "b.example"])
  }

  @Test(arguments: [("env_file: 1.env", "env_file: [2.env]"), ("env_file: [1.env]", "env_file: 2.env")])
  func environmentFilesJoin(_ base: String, _ over: String) {
    let found = variables(merged(base, over + ", environment: {OWN: own}"))
    #expect(found == ["BOTH=second", "OF=1-own", "ONE=1", "OWN=own", "TWO=2"])
  }

  @Test func hostsAndParametersOfBothFormsJoin() {
    let service = merged(
      "extra_hosts: [\"a:10.0.0.1\"], sysctls: [net.core.somaxconn=1]",
      "extra_hosts: {b: 10.0.0.2, a: 10.0.0.1}, sysctls: {net.ipv4.ip_forward: 1, net.core.somaxconn: 2}")
    #expect(service?.extraHosts.map { "\($0.name.value)=\($0.address.value)" }.contains("b=10.0.0.2") == true)
    #expect(
      service?.settings.kernelParameters == ["net/core/somaxconn": "2", "net/ipv4/ip_forward": "1"])
  }

  @Test(arguments: ["environment: {A: }", "environment: [A]"])
  func aNameWithoutAValueTakesTheCallers(_ over: String) {
    #expect(variables(merged("environment: {A: 1}", over, environment: ["A": "caller"])) == ["A=caller"])
    #expect(variables(merged("environment: [A=1]", over)) == [])
  }

  @Test func whatIsThereTwiceCountsOnce() {
    let keys =
      "tmpfs: [\"/x\"], cap_add: [SYS_TIME], expose: [80], dns: 10.0.0.1, devices: [/dev/fuse], ports: [\"80:80\"]"
    let over = keys.replacing("/x", with: "/x/:size=1m")
    let service = merged(keys, over)
    #expect(service?.mounts.map(\.source) == [.tmpfs(.init(size: 1 << 20))])
    #expect(service?.addedCapabilities.count == 1 && service?.exposed.count == 1 && service?.ports.count == 1)
    #expect(service?.nameResolution.servers.count == 1 && service?.settings.devices.count == 1)
    let mounts = merged("volumes: [\"./a:/x/\"]", "volumes: [\"./b:/x\"]")?.mounts
    #expect(mounts?.map(\.source) == [.bind(path: "/lab/b", creates: true)])
  }

  @Test func aSubnetGetsItsGatewayInAnotherFile() {
    func text(_ config: String) -> String {
      "services: {web: {command: x}}\nnetworks: {n: {ipam: {config: [{\(config)}]}}}"
    }
    let outcome = load(
      text("subnet: 10.1.0.0/24"), others: ["/lab/over.yaml": text("subnet: 10.1.0.0/24, gateway: 10.1.0.9")],
      paths: ["web.stack", "over.yaml"])
    #expect(outcome.stack?.networks["n"]?.gateway?.value.description == "10.1.0.9")
  }

  @Test func aShortDependencyIsOneOnTheStart() {
    let outcome = load(
      "services: {web: {command: x, depends_on: {db: {condition: service_healthy, restart: true}}}, db: {image: db}}",
      others: ["/lab/over.yaml": "services: {web: {depends_on: [db]}}"], paths: ["web.stack", "over.yaml"])
    let dependency = outcome.stack?.services["web"]?.dependencies.first
    #expect(dependency?.condition == .started && dependency?.restartsWithIt == true)
  }

  // MARK: i, n: what is accepted

  @Test(arguments: [
    "user", "hostname", "restart", "platform", "network_mode", "working_dir", "stop_signal", "ipc", "pid",
    "domainname", "mac_address", "userns_mode", "cpuset", "dns", "dns_search", "tmpfs", "container_name", "env_file",
    "mem_limit", "stop_grace_period", "pull_policy", "uts",
  ])
  func anEmptyValueIsNone(_ key: String) {
    let plain = load("services: {web: {image: x}}").stack
    for value in ["\"\"", "\"${UNSET-}\"", "", "~"] {
      let outcome = load("services: {web: {image: x, \(key): \(value)}}")
      #expect(outcome.diagnostics.isEmpty && outcome.stack == plain, "\(value)")
    }
  }

  @Test func emptyNamesAndDriversAreNone() {
    let outcome = load(
      "name: ''\nservices: {web: {command: x}}\nnetworks: {n: {name: '', driver: ''}}\nvolumes: {v: {name: '', driver: ''}}"
    )
    #expect(outcome.diagnostics.isEmpty)
    #expect(outcome.stack?.volumes["v"]?.sharedName == nil)
  }

  @Test(arguments: [
    "init: yes, privileged: on", "init: 'Off'", "mem_limit: -1", "healthcheck: {test: x, interval: 0s, retries: 0}",
    "user: \"1000:\"", "ports: [\"0:80\"]", "volumes: [\"./a:/b:rslave,exec\"]", "mem_limit: 1 g",
    "tmpfs: [\"/x:nr_inodes=1k,size=50%,noatime\"]", "cgroup: private", "cpu_period: 50000, cpu_quota: 25000",
  ])
  func theseAreAccepted(_ keys: String) {
    #expect(load("services: {web: {command: x, \(keys)}}").diagnostics.map(\.code) == [])
  }

  @Test(arguments: [
    "network_mode: host, ports: [\"80:80\"]", "ports: [\"[::]:80:80\"]", "volumes: [\"./a:/b:shared\"]",
    "volumes: [\"./a:/b:U\"]", "memswap_limit: 64m", "ports: [\"80:80/sctp\"]", "network_mode: bridge",
    "security_opt: [\"label=disable\"]", "security_opt: [\"apparmor:unconfined\"]", "runtime: runc",
    "isolation: default", "cgroup_parent: x", "ipc: none", "deploy: {placement: {constraints: [x]}}",
    "deploy: {update_config: {parallelism: 1}}", "deploy: {endpoint_mode: vip}",
  ])
  func theseAreAcceptedWithANote(_ keys: String) {
    let outcome = load("services: {web: {command: x, \(keys)}}")
    #expect(outcome.diagnostics.map(\.code) == [.ignoredKey])
  }

  @Test func severalDocumentsMerge() {
    let outcome = load("services: {web: {command: x}}\n---\nservices: {web: {user: app}, db: {command: y}}\n")
    #expect(outcome.stack?.services["web"]?.user?.value.user == "app")
    #expect(outcome.stack?.services.names == ["web", "db"])
  }

  @Test func halfAProcessorInTwoKeys() {
    let service = services("services: {web: {command: x, cpu_period: 50000, cpu_quota: 25000}}").first
    #expect(service?.limits.processorQuota == 50_000)
  }

  // MARK: k, o

  @Test func filesKnowTheStacksName() {
    let text = "services: {web: {command: x, hostname: \"${COMPOSE_PROJECT_NAME}-web\"}}"
    #expect(load(text, paths: ["web.stack"]).stack?.services["web"]?.hostname?.value == "web-web")
    #expect(
      load("name: ${N}\n" + text, environment: ["N": "shop"]).stack?.services["web"]?.hostname?.value == "shop-web")
  }

  @Test func numbersStayAsTheyAreWritten() {
    let service = services("services: {web: {command: x, environment: {A: 010, B: 1.50, C: 1e3}}}").first
    #expect(variables(service) == ["A=010", "B=1.50", "C=1e3"])
  }

  // MARK: Public files

  private func read(_ text: String, environment: [String: String] = [:]) -> (StackFile?, [String]) {
    let outcome = load(text, environment: environment)
    return (outcome.stack, outcome.diagnostics.map { "\($0.code.rawValue) \($0.message)" })
  }

  @Test(arguments: [
    ("MyShop", "myshop"), ("My.Shop 2", "myshop2"), ("_-a_b-C", "a_b-c"), ("${UNSET:-Aa}", "aa"),
  ])
  func aNameInTheFileIsMadeOneOfAProject(_ written: String, _ name: String) {
    let text = "name: \(written)\nservices: {web: {command: x, environment: {N: \"$COMPOSE_PROJECT_NAME\"}}}"
    let (stack, told) = read(text)
    #expect(told == [])
    #expect(stack?.name.value == name)
    #expect(stack?.services["web"]?.environment.map(\.value) == [name])
    let loader = StackFileLoader(
      files: FilesInMemory(["/lab/web.stack": text]), environment: [:], workingFolder: "/lab")
    #expect(loader.name(of: ["web.stack"], Variables(environment: [:])) == name)
  }

  @Test(arguments: ["../x", "..", "a/b", "süß", "a\\nb", "a:b", String(repeating: "a", count: 64)])
  func aNameThatIsNoneIsRefused(_ written: String) {
    let text = "name: \"\(written)\"\nservices: {web: {command: x}}"
    #expect(read(text).1.contains { $0.hasPrefix("E0201") })
    let loader = StackFileLoader(
      files: FilesInMemory(["/lab/web.stack": text]), environment: [:], workingFolder: "/lab")
    #expect(loader.name(of: ["web.stack"], Variables(environment: [:])) == nil)
  }

  @Test(arguments: [
    ("always", StackFile.RestartPolicy.always), ("unless-stopped", .unlessStopped), ("any", .always), ("none", .no),
  ])
  func deployTakesTheWordsOfRestart(_ word: String, _ policy: StackFile.RestartPolicy) {
    let (stack, told) = read("services: {web: {command: x, deploy: {restart_policy: {condition: \(word)}}}}")
    #expect(told == [])
    #expect(stack?.services["web"]?.restart == policy)
  }

  @Test func whatIsEmptyBesideABuildIsNotGiven() {
    let (stack, told) = read(
      "services: {web: {image: \"${NONE-}\", build: {context: ., dockerfile: \"${NONE-}\", target: \"\"}}}")
    #expect(told == [])
    let service = stack?.services["web"]
    #expect(service?.build?.dockerfile == nil && service?.build?.target == nil)
    #expect(service?.rootfs.value == (try? ImageSource("web-web")).map { .image($0) })
  }

  @Test func anImageWithoutANameIsAnErrorWhereNothingIsBuilt() {
    #expect(read("services: {web: {image: \"\"}}").1 == ["E0035 \"image\" is empty"])
  }

  @Test func platformsOfOthersAreLeftOutOfABuild() {
    let own = ImagePlatform.own.description
    let (stack, told) = read("services: {web: {build: {context: ., platforms: [linux/s390x, \(own)]}}}")
    #expect(stack != nil)
    #expect(told == ["N0036 no image for \"linux/s390x\" is built: this machine is \(own)"])
    #expect(read("services: {web: {build: {context: ., platforms: [linux/s390x]}}}").0 == nil)
  }

  @Test func aProviderIsRefusedOnce() {
    let (_, told) = read("services: {db: {provider: {type: cloud}}}")
    #expect(told == ["E0031 \"provider\" is not supported"])
  }

  @Test func theOutputIsInComposesForms() throws {
    let (stack, _) = read(
      """
      services: {web: {command: x, sysctls: {net.ipv4.ip_forward: 1, net/ipv4/conf/eth0.10/forwarding: 1}}}
      networks: {default: {subnet: 10.9.0.0/24, gateway: 10.9.0.9}}
      """)
    let text = try #require(stack).output.yaml
    #expect(text.contains("net.ipv4.ip_forward: \"1\"") && text.contains("net/ipv4/conf/eth0.10/forwarding: \"1\""))
    #expect(
      text.contains("    ipam:\n      config:\n        - subnet: \"10.9.0.0/24\"\n          gateway: \"10.9.0.9\"\n"))
  }
}
