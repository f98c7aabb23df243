import Testing
@testable import Export
@testable import Intent
@testable import Kernel
@testable import StackFiles

/// The shapes of policies that people know, with answers written by hand: first as stack files, then as bare documents,
/// which hold the oracle itself to the documentation of Kubernetes.
@Suite struct PolicyRecipeTests {
  /// A question, as `web -> db:80 yes`.
  struct Recipe: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var networks = "networks: {default: {default: deny}}"
    var rules: [String]
    var answers: [String]
  }

  private static let services = """
    name: shop
    services:
      web: {image: a, restart: always, ports: ["8080:80"], labels: {app: shop, role: web}}
      api: {image: a, restart: always, labels: {app: shop, role: api}}
      db: {image: a, restart: always, labels: {app: store}}
      job: {image: a, restart: always, labels: {app: batch}}

    """

  static let recipes: [Recipe] = [
    Recipe(
      testDescription: "01 deny all to one", networks: "", rules: ["deny: any -> web"],
      answers: ["api web 80 no", "203.0.113.7 web 80 no", "web api 80 yes", "web 203.0.113.7 80 yes"]),
    Recipe(
      testDescription: "02 limit to one source", networks: "",
      rules: ["allow: label:role=web -> api", "deny: any -> api"],
      answers: ["web api 1 yes", "db api 1 no", "api db 1 yes"]),
    Recipe(
      testDescription: "02a allow all to one in a closed network", rules: ["allow: any -> web"],
      answers: ["db web 9 yes", "203.0.113.7 web 80 yes", "203.0.113.7 web 81 no", "web db 9 no"]),
    Recipe(
      testDescription: "03 deny all by default", rules: [],
      answers: ["web api 80 no", "db web 80 no", "203.0.113.7 web 80 no", "web 203.0.113.7 443 no", "web dns 53 yes"]),
    Recipe(
      testDescription: "05 allow all", networks: "", rules: [],
      answers: ["web api 80 yes", "api db 5432 yes", "203.0.113.7 web 80 yes", "203.0.113.7 api 80 no"]),
    Recipe(
      testDescription: "08 from outside to what is published alone", rules: ["allow: internet -> web:80"],
      answers: ["203.0.113.7 web 80 yes", "203.0.113.7 web 443 no", "api web 80 no", "web 203.0.113.7 80 no"]),
    Recipe(
      testDescription: "09 one port", rules: ["allow: api -> db:5432"],
      answers: ["api db 5432 yes", "api db 5431 no", "api db 5433 no", "web db 5432 no", "db api 5432 no"]),
    Recipe(
      testDescription: "10 several sources", rules: ["allow: label:role=web,label:app=batch -> db"],
      answers: ["web db 1 yes", "job db 1 yes", "api db 1 no"]),
    Recipe(
      testDescription: "11 no way out for one", networks: "", rules: ["deny: job -> any"],
      answers: ["job web 80 no", "job 203.0.113.7 443 no", "job dns 53 yes", "web job 80 yes"]),
    Recipe(
      testDescription: "14 no way out of the stack", networks: "", rules: ["deny: job -> internet"],
      answers: ["job web 80 yes", "job 203.0.113.7 443 no"]),
    Recipe(
      testDescription: "action: the first rule decides", rules: ["deny: web -> db:80-90", "allow: web -> db:1-100"],
      answers: ["web db 79 yes", "web db 80 no", "web db 90 no", "web db 91 yes", "web db 101 no"]),
    Recipe(
      testDescription: "conflict: what comes later takes nothing back", rules: ["allow: web -> db", "deny: web -> db"],
      answers: ["web db 80 yes", "db web 80 no"]),
    Recipe(
      testDescription: "peers: a range with an exception", networks: "",
      rules: ["allow: web -> 203.0.113.0/25", "deny: web -> 203.0.113.0/24"],
      answers: ["web 203.0.113.7 80 yes", "web 203.0.113.200 80 no", "web 198.51.100.1 80 yes"]),
    Recipe(
      testDescription: "ports: a hole in what goes out", networks: "", rules: ["deny: any -> internet:25"],
      answers: [
        "web 203.0.113.7 24 yes", "web 203.0.113.7 25 no", "web 203.0.113.7 26 yes", "web 203.0.113.7 25/UDP yes",
      ]),
    Recipe(
      testDescription: "rules: UDP and TCP apart", rules: ["allow: web -> db:53/udp", "allow: web -> db:54"],
      answers: ["web db 53 no", "web db 53/UDP yes", "web db 54 yes", "web db 54/UDP no"]),
  ]

  @Test(arguments: recipes) func recipe(_ recipe: Recipe) throws {
    let rules = recipe.rules.isEmpty ? "" : "policies:\n" + recipe.rules.map { "  - \($0)\n" }.joined()
    let source = try ExportSource(Self.services + recipe.networks + "\n" + rules)
    let line = PolicyOracleCase(
      recipe.testDescription, source.input.stack, source.kubernetes(), answers: recipe.answers
    ).line
    let (output, status) = try PolicyOracleTests.ask([line])
    #expect(status == 0 && output.contains("\(recipe.answers.count) questions"), "\(output)")
  }

  // MARK: - The oracle

  /// Documents that no export makes, with what the documentation says of them.
  private static let documents = sourceFolder(#filePath, up: 2) + "/Fixtures/network-policy-cases"

  @Test func theOracleIsThatOfTheDocumentation() throws {
    let text = String(decoding: try Files.read(Self.documents) ?? [], as: UTF8.self)
    let (output, status) = try PolicyOracleTests.ask([text])
    #expect(status == 0 && output.hasPrefix("8 cases"), "\(output)")
  }

  // MARK: - Size

  /// The policies of services that rules name in pairs, in lines.
  private static func lines(services: Int, rules: Int) throws -> Int {
    let text = ManyServices.text(services: services, rules: rules)
    return try ExportSource(text).kubernetes().manifests.filter { $0.kind == "NetworkPolicy" }.map(\.yaml).joined()
      .split(separator: "\n").count
  }

  @Test func policiesGrowWithServicesAndRulesAndNotWithTheirProduct() throws {
    let small = try Self.lines(services: 50, rules: 25)
    let wide = try Self.lines(services: 200, rules: 25)
    let ruled = try Self.lines(services: 50, rules: 50)
    let large = try Self.lines(services: 200, rules: 50)
    #expect(wide < 2 * small, "\(small) \(wide)")
    #expect(ruled < 3 * small, "\(small) \(ruled)")
    #expect(large < 50 * (200 + 50), "\(large)")
    #expect(large < 3 * small, "\(small) \(large)")
  }
}

/// A stack of many services with rules between pairs and groups of them.
enum ManyServices {
  static func text(services: Int, rules: Int) -> String {
    let kinds = ["web", "api", "db", "job"]
    let names = (0..<services).map { "\(kinds[$0 % 4])\($0 / 4 + 1)" }
    let lines = names.enumerated().map { number, name in
      "  \(name): {image: a, restart: always, labels: {tier: t\(number % 5)}, networks: [n\(number % 3)]}"
    }
    let policies = (0..<rules).map { number -> String in
      let (one, other) = (names[number * 7 % services], names[(number * 13 + 3) % services])
      switch number % 5 {
      case 0: return "deny: web* -> \(one):22"
      case 1: return "allow: label:tier=t\(number % 5) -> \(other):5432"
      case 2: return "deny: \(one) -> internet:25"
      default: return "allow: \(one) -> \(other):\(8000 + number)"
      }
    }
    return """
      name: many
      services:
      \(lines.joined(separator: "\n"))
      networks: {n0: {}, n1: {default: deny}, n2: {}}
      policies:
      \(policies.map { "  - \($0)" }.joined(separator: "\n"))

      """
  }
}
