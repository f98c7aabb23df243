import Testing

@testable import StackFiles

/// `build:` of a service.
@Suite struct BuildKeyTests {
  private static func outcome(_ build: String, beside: String = "") -> (StackFile.Service?, [String]) {
    let outcome = load(
      "services:\n  web:\n    build: \(build)\n\(beside)", others: ["/lab/token": "x\n"],
      environment: ["HOME": "/root", "FROM_OUTSIDE": "yes"])
    return (outcome.stack?.services["web"], outcome.diagnostics.map(\.code.rawValue))
  }

  private static func build(_ build: String, beside: String = "") throws -> StackFile.Build {
    let (service, codes) = outcome(build, beside: beside)
    #expect(codes == [])
    return try #require(service?.build)
  }

  @Test(arguments: [
    ("./app", "/lab/app"), ("{context: app}", "/lab/app"), ("{}", "/lab"), ("~/x", "/root/x"), ("/srv", "/srv"),
  ])
  func theContextIsAFolder(_ text: String, _ path: String) throws {
    #expect(try Self.build(text).context.value == path)
  }

  @Test func theImageIsNamedAfterTheService() throws {
    let (service, _) = Self.outcome(".")
    guard case .image(let source)? = service?.rootfs.value else { return #expect(Bool(false)) }
    #expect("\(source)" == "web-web:latest")
    #expect(service?.hasInit == false)
  }

  @Test func theImageMayHaveAName() throws {
    let (service, codes) = Self.outcome(".", beside: "    image: shop/web:2\n")
    guard case .image(let source)? = service?.rootfs.value else { return #expect(Bool(false)) }
    #expect("\(source)" == "shop/web:2")
    #expect(codes == [])
    #expect(service?.build != nil)
  }

  @Test func argumentsWithoutAValueComeFromTheEnvironment() throws {
    for text in ["{args: {A: 1, FROM_OUTSIDE: , NONE: }}", "{args: [A=1, FROM_OUTSIDE, NONE]}"] {
      #expect(try Self.build(text).arguments.map { "\($0.name.value)=\($0.value)" } == ["A=1", "FROM_OUTSIDE=yes"])
    }
  }

  @Test func theKeysAreRead() throws {
    let build = try Self.build(
      "{dockerfile: d/D, target: t, tags: [\"a:1\"], labels: [\"b=c\"], network: none, no_cache: true, pull: true, shm_size: 8m}"
    )
    #expect(build.dockerfile?.value == "d/D")
    #expect(build.target?.value == "t")
    #expect(build.tags.map(\.value) == ["a:1"])
    #expect(build.labels.map { "\($0.name.value)=\($0.value)" } == ["b=c"])
    #expect(build.network?.value == StackFile.Build.Network.none)
    #expect((build.usesCache, build.pulls, build.sharedMemory) == (false, true, 8 << 20))
    #expect(try Self.build("{dockerfile_inline: \"FROM scratch\"}").inline?.value == "FROM scratch")
  }

  @Test func contextsAreOfFourKinds() throws {
    let text = "{additional_contexts: [\"a=./a\", \"b=docker-image://x:1\", \"c=oci-layout://./o\", \"d=service:db\"]}"
    let build = try Self.build(text, beside: "  db: {build: .}\n")
    #expect(
      build.contexts.map(\.origin.value) == [
        .folder("/lab/a"), .image("x:1"), .image("oci:/lab/o"), .service("db"),
      ])
  }

  @Test func secretsAreTheStacks() throws {
    let beside = "secrets: {token: {file: ./token}}\n"
    let build = try Self.build("{secrets: [token, {source: token, target: other}]}", beside: beside)
    #expect(build.secrets.map(\.id) == ["token", "other"])
    #expect(Self.outcome("{secrets: [none]}", beside: beside).1 == ["E0110"])
  }

  @Test(arguments: [
    ("[.]", ["E0032"]), ("{contxt: .}", ["E0030"]), ("https://example.org/a.git", ["E0031"]),
    ("{dockerfile: a, dockerfile_inline: b}", ["E0037"]), ("{privileged: true}", ["E0031"]),
    ("{privileged: false}", []),
    ("{ssh: [default]}", ["E0031"]), ("{entitlements: [a]}", ["E0031"]), ("{isolation: default}", []),
    ("{isolation: hyperv}", ["E0031"]), ("{cache_from: [a]}", ["N0036"]), ("{cache_to: [a]}", ["N0036"]),
    ("{provenance: true}", ["N0036"]), ("{sbom: true}", ["N0036"]), ("{platforms: [linux/s390x]}", ["E0031"]),
    ("{network: nowhere}", ["E0102"]), ("{network: default}", []), ("{tags: [\"A B\"]}", ["E0218"]),
    ("{additional_contexts: {a: \"service:none\"}}", ["E0104"]), ("{additional_contexts: {a: }}", ["E0033"]),
    ("{additional_contexts: {a: \"service:web\"}}", ["E0106"]),
    ("{additional_contexts: {a: \"https://x\"}}", ["E0031"]),
    ("{shm_size: x}", ["E0210"]), ("{ulimits: {nofiles: 1}}", ["E0664"]),
  ])
  func eachKeyIsBuiltNotedOrRefused(_ text: String, _ codes: [String]) {
    #expect(Self.outcome(text).1 == codes)
  }

  @Test(arguments: [
    ("always", StackFile.PullPolicy.always), ("missing", .missing), ("if_not_present", .ifNotPresent),
    ("never", .never),
    ("build", .build), ("daily", .every(.seconds(86_400), text: "daily")),
    ("weekly", .every(.seconds(604_800), text: "weekly")), ("every_12h", .every(.seconds(43_200), text: "every_12h")),
    ("every_1d12h", .every(.seconds(129_600), text: "every_1d12h")),
  ])
  func pullPoliciesAreThoseOfCompose(_ text: String, _ policy: StackFile.PullPolicy) {
    let (service, codes) = Self.outcome(".", beside: "    pull_policy: \(text)\n")
    #expect(service?.pullPolicy?.value == policy)
    #expect(codes == [])
  }

  @Test(arguments: [("every_x", "E0209"), ("every_", "E0209"), ("every_0s", "E0209"), ("dayly", "E0034")])
  func otherPoliciesAreRefused(_ text: String, _ code: String) {
    #expect(Self.outcome(".", beside: "    pull_policy: \(text)\n").1 == [code])
  }

  @Test func thePolicyBuildNeedsABuild() {
    #expect(load("services: {web: {image: a, pull_policy: build}}").diagnostics.map(\.code) == [.missingKey])
  }
}
