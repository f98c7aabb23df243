import Glibc
import Testing
@testable import Kernel
@testable import Runtime

/// Overlays of many folders, as of images with many layers. tools/test-vm runs these on a kernel that takes the names of all of them
/// in one option of a page (before Linux 6.7).
@Suite(.enabled(if: isRoot(), "mounts take root"))
struct LayeredMountTests {
  @Test(arguments: [false, true])
  func fiveHundredLayersAreOneOverlay(isOfStep: Bool) throws {
    let root = try BusyboxRoot()
    let made = Shell.run(
      """
      mkdir \(root.folder)/layers && cd \(root.folder)/layers &&
      for number in $(seq 0 499); do mkdir $number && : >$number/own$number && echo $number >$number/last || exit 1; done
      """)
    #expect(made.status == 0)
    let base = try Descriptor.open("\(root.folder)/layers", OpenFlag.path | O_DIRECTORY)
    var parts = RootMount.Overlay(
      lower: (0..<500).map { "\($0)" }, base: base.rawValue, upper: root.upper, work: root.work)
    parts.isOfStep = isOfStep
    let tree = try RootMount.overlay(parts)
    let place = "/proc/self/fd/\(tree.rawValue)"
    // The first one named is on top.
    #expect(String(decoding: try #require(try Files.read("\(place)/last", limit: 99)), as: UTF8.self) == "0\n")
    #expect(Files.list(place).count == 501)
    #expect(mkdir("\(place)/new", 0o755) == 0 && Files.exists("\(root.upper)/new"))
  }
}
