import TestSupport
import Testing
@testable import Intent
@testable import Names

/// Services leave /etc/hosts and come back.
@Suite struct HostsMarksTests {
  @Test func aLineIsTakenOutAndPutBack() throws {
    let stack = try resolve(
      """
      services:
        proxy: {command: [x], networks: [front, back]}
        web: {command: [x], networks: [back], scale: 2}
        guest: {command: [x], networks: [front]}
      networks: {front: {}, back: {}}
      """)
    let folder = try TemporaryFolder()
    let files = NameViews(stack).hostsFiles(for: stack)
    for file in files { try folder.write(file.name, file.text) }
    var marks = HostsMarks(stack, folder: folder.path)
    func text(_ service: String) throws -> String {
      let file = try #require(stack.service(named: service)).hostsFile
      return try #require(folder.text(file))
    }
    marks.mark("web-1", isGone: true)
    marks.mark("web-1", isGone: true)
    #expect(try text("web-2").contains("\n#0.208.1.3\tweb-1 web\n10.208.1.4\tweb-2 web\n"))
    #expect(try text("proxy").contains("\n#0.208.1.3\tweb-1 web\n"))
    #expect(try !text("guest").contains("\n#0"))
    marks.mark("proxy", isGone: true)
    #expect(try text("guest").contains("\n#0.208.0.2\tproxy\n10.208.0.3\tguest\n"))
    for name in ["web-1", "proxy", "nobody"] { marks.mark(name, isGone: false) }
    for file in files { #expect(folder.text(file.name) == file.text) }
  }

  @Test func aFileThatIsNotThereIsNotMade() throws {
    let stack = try resolve("services: {a: {command: [x]}}")
    let folder = try TemporaryFolder()
    var marks = HostsMarks(stack, folder: folder.path)
    marks.mark("a", isGone: true)
    #expect(folder.text(stack.services[0].hostsFile) == nil)
  }
}
