import SystemPackage
import Testing
@testable import Kernel
@testable import Netlink

@Suite struct MissingModuleTests {
  private func remedy(
    _ action: String, _ errno: Errno, _ detail: String? = nil, _ family: NetlinkSocket.Family? = nil
  ) -> String? {
    MissingModule.explained(KernelError(action, "x", errno: errno, detail: detail), family: family).remedy
  }

  @Test func theModuleIsNamed() {
    #expect(remedy("create bridge", .notSupportedOnSocket, "Unknown device type")?.contains("modprobe bridge;") == true)
    #expect(remedy("open", .protocolNotSupported, nil, .netfilter)?.contains("nf_tables") == true)
    #expect(remedy("list", .noSuchFileOrDirectory, nil, .sockDiag)?.contains("tcp_diag") == true)
  }

  @Test func otherRefusalsStayAsTheyAre() {
    #expect(remedy("create bridge", .fileExists) == nil)
    #expect(remedy("create bridge", .notSupportedOnSocket, "Something else") == nil)
    #expect(remedy("list", .noSuchFileOrDirectory, nil, .route) == nil)
    #expect(remedy("open", .permissionDenied, nil, .netfilter) == nil)
  }
}
