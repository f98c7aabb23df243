import Testing
@testable import StackFiles

@Suite struct ProfileTests {
  private static let text = """
    services:
      web: {command: web, depends_on: [db]}
      db: {command: db}
      debug: {command: debug, profiles: [dev, test], depends_on: [tool]}
      tool: {command: tool, profiles: [dev]}
      other: {command: other, profiles: [ops], depends_on: {tool: {required: false}}}
    """

  @Test(
    arguments: [
      ([], [], ["web", "db"], 0),
      (["dev"], [], ["web", "db", "debug", "tool"], 0),
      (["test"], [], ["web", "db", "debug"], 1),
      (["ops"], [], ["web", "db", "other"], 0),
      (["*"], [], ["web", "db", "debug", "tool", "other"], 0),
      ([], ["db"], ["db"], 0),
      ([], ["web"], ["web", "db"], 0),
      ([], ["debug"], ["debug", "tool"], 0),
      ([], ["other"], ["other"], 0),
      ([], ["wbe"], [], 1),
    ] as [([String], [String], [String], Int)])
  func selects(_ profiles: [String], _ names: [String], _ expected: [String], _ problems: Int) throws {
    let stack = try #require(load(Self.text).stack)
    let selection = stack.activeServices(profiles: profiles, named: names)
    #expect(selection.services.map(\.name.value) == expected)
    #expect(selection.diagnostics.count == problems)
  }

  @Test func aNamedServiceMayComeAlone() throws {
    let stack = try #require(load(Self.text).stack)
    let selection = stack.activeServices(named: ["web"], withDependencies: false)
    #expect(selection.services.map(\.name.value) == ["web"])
    #expect(selection.diagnostics.isEmpty)
  }

  @Test func saysWhichProfileIsMissing() throws {
    let stack = try #require(load(Self.text).stack)
    #expect(
      DiagnosticRenderer().render(stack.activeServices(profiles: ["test"]).diagnostics) == """
        web.stack:4:63: error[E0109]: service "debug" depends on "tool", which is not active
          4 │   debug: {command: debug, profiles: [dev, test], depends_on: [tool]}
            │                                                               ^^^^
          5 │   tool: {command: tool, profiles: [dev]}
            │                                    --- it runs with this profile
            = help: add `--profile dev`, or write `required: false`

        """)
  }
}
