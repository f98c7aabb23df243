import Digests
import Dockerfile
import FoundationEssentials
import ImageFormat
import ImageReference
import ImageStore
import Images
import Kernel
import Synchronization
import SystemPackage

/// Builds an image: the stages that its target needs, side by side.
package final class BuildRun: Sendable {
  private let request: BuildRequest
  private let services: BuildServices
  private let finished = Mutex<[Int: StageState]>([:])
  /// The number of stages that are built at once.
  private static let width = 2

  package init(_ request: BuildRequest, _ services: BuildServices) {
    (self.request, self.services) = (request, services)
  }

  /// Builds it. The caller holds the store.
  ///
  /// - Parameters:
  ///   - wake: readable when the user wants no more.
  ///   - meanwhile: called on this thread about ten times a second.
  /// - Returns: nil for a dry run.
  /// - Throws: ``BuildFailure``
  package func run(wake: FileDescriptor?, meanwhile: () -> Void) throws -> ImageRecord? {
    do {
      let nodes = request.graph.nodes
      let lanes = try Lanes(nodes.map { ($0.stage.index, Set($0.dependencies)) }) { [self] job, lane in
        try build(job, lane)
      }
      defer { services.memory.save() }
      try lanes.run(request.isDry ? 1 : min(Self.width, nodes.count), wake: wake, meanwhile: meanwhile)
      return request.isDry ? nil : try commit()
    } catch {
      throw BuildFailure(error, at: request.dockerfile.path)
    }
  }

  private func build(_ index: Int, _ lane: Int) throws {
    guard let node = request.graph.node(index) else { return }
    guard !services.stop.isRaised else { throw BuildFailure.stopped }
    var builder = StageBuilder(request, services, node, lane: lane, finished: finished.withLock { $0 })
    try builder.build()
    let state = builder.state
    finished.withLock { $0[index] = state }
  }

  private func commit() throws -> ImageRecord {
    guard var state = finished.withLock({ $0[request.graph.target] }) else {
      throw BuildFailure(nil, "the target was not built")
    }
    if !request.labels.isEmpty { state.configuration.setLabels(request.labels) }
    let bytes = state.configuration.bytes(layers: state.layers.map(\.content), created: state.created)
    return try services.images.commit(
      BuiltImage(configuration: bytes, layers: state.layers), on: state.base, as: request.names, image: request.image)
  }
}
