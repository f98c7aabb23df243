import TestSupport
import Testing
@testable import Build
@testable import Intent

/// The place of what services write.
@Suite struct LayerDiskTests {
  private func service(_ keys: String, image: Bool) throws -> DesiredService {
    var service = try #require(try resolve("services: {a: {command: [x]\(keys)}}").services.first)
    if image { service.root = .image(DesiredImage(name: "a:1", digest: "sha256:0", layers: [1])) }
    return service
  }

  @Test func isTheDiskForImagesWithoutASize() throws {
    let folder = try TemporaryFolder()
    // It need not be there yet.
    let place = "\(folder.path)/a/b"
    try #require(LayerDisk.canHold(folder.path), "/tmp is an overlay")
    #expect(LayerDisk.canHold(place))
    #expect(LayerDisk.isPlace(of: try service("", image: true), place))
    #expect(!LayerDisk.isPlace(of: try service("", image: false), place))
    #expect(!LayerDisk.isPlace(of: try service(", storage_opt: {size: 8m}", image: true), place))
  }
}
