import Testing
@testable import Addresses
@testable import StackFiles

@Suite struct StackFileTests {
  @Test func readsAStack() throws {
    let outcome = load(
      """
      # Three web servers.
      x-web: &web
        rootfs: host
        command: busybox httpd -f -p 80 -h /www
        networks: [front]
      services:
        web1:
          <<: *web
          ports: ["8081:80"]
          volumes: ["./web/1:/www:ro"]
        web2:
          <<: *web
          ports: ["8082:80"]
      networks:
        front: {subnet: 10.1.0.0/24}
      """)
    #expect(DiagnosticRenderer().render(outcome.diagnostics) == "")
    let stack = try #require(outcome.stack)
    #expect(stack.name.value == "web")
    #expect(stack.folder == "/lab")
    #expect(stack.services.names == ["web1", "web2"])
    let web1 = try #require(stack.services["web1"])
    #expect(web1.arguments == ["busybox", "httpd", "-f", "-p", "80", "-h", "/www"])
    #expect(web1.rootfs.value == .host)
    #expect(web1.attachments.map(\.network.value) == ["front"])
    #expect(web1.ports.map(\.host) == [.fixed(8081...8081)])
    #expect(web1.mounts.map(\.source) == [.bind(path: "/lab/web/1", creates: true)])
    #expect(web1.mounts.map(\.isReadOnly) == [true])
    #expect(stack.networks["front"]?.subnet?.value == IPv4Prefix("10.1.0.0/24"))
    #expect(web1.ports.first?.span.place == "web.stack:9")
  }

  @Test func rendersAsTheDesignSays() {
    let text = diagnose(
      """
      services:
        web1:
          command: [nginx]
          # web1 is
          # on the front
          networks: [frnt]
        web2:
          command: [nginx]
          networks: [front]
      networks:
        front: {}
      """)
    #expect(
      text == """
        web.stack:6:16: error[E0102]: service "web1" joins undefined network "frnt"
          6 │     networks: [frnt]
            │                ^^^^ did you mean "front"?
         11 │   front: {}
            │   ----- "front" is declared here

        """)
  }
}
