import Foundation
import Fuzzing
import Glibc
import Testing

private let hasPeers = ["/usr/sbin/dockerd", "/usr/bin/buildah"].allSatisfy { access("\($0)", X_OK) == 0 }

/// Contexts and Dockerfiles by chance, whose images equal those of Docker's BuildKit and of buildah, or differ for a
/// reason that docs/build.md gives.
///
/// `tools/test --long` builds 1,000. `STACK_BUILDS=1 STACK_FIRST_BUILD=17` builds number 17 alone.
@Suite struct GeneratedBuildTests {
  private static func number(_ name: String, or standard: Int) -> Int {
    ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? standard
  }

  @Test(.enabled(if: hasPeers, "docker.io or buildah is not installed: tools/setup --tests"))
  func imagesEqualThoseOfOthers() throws {
    let first = Self.number("STACK_FIRST_BUILD", or: 1)
    let count = Self.number("STACK_BUILDS", or: TestExtent.size(1000, sample: 60))
    try ThrowawayHost.with { host in
      let outcome = try host.run(
        "\(Repository.root)/Tests/EndToEndTests/Scripts/compare-builds.py", "--from", "\(first)", "--count", "\(count)",
        limit: .seconds(60 + 20 * count))
      #expect(outcome.status == 0, "\(outcome)")
    }
  }
}
