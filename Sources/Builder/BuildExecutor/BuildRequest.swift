import BuildContext
import Dockerfile
import ImageFormat
import ImageReference
import ImageStore
import Images
import Isolation
import StackFiles

/// An image that is to be built.
package struct BuildRequest: Sendable {
  /// A named context.
  package enum Context: Sendable {
    case folder(ContextRoot)
    /// As FROM has it.
    case image(String)
  }

  /// For messages: what people know the image by.
  package var image: String
  package var dockerfile: Dockerfile
  package var graph: StageGraph
  package var inputs: BuildInputs
  package var context: ContextRoot
  /// The absolute path of the context.
  package var folder: String
  package var contexts: [String: Context] = [:]
  package var names: [ImageReference] = []
  package var labels: [NamedValue] = []
  package var usesCache = true
  /// The stages, by name, whose steps are done anew though the others' are not.
  package var uncachedStages: Set<String> = []
  /// True if nothing is done, and it is said what would be.
  package var isDry = false
  /// `name=address`
  package var hostNames: [String] = []
  /// Values by id.
  package var secrets: [String: [UInt8]] = [:]
  package var network = StepNetwork.standard
  package var limits = StepLimits()
  /// Seconds since 1970 that all times of the image are (SOURCE_DATE_EPOCH). Nil: the present.
  package var epoch: Int64?

  package init(
    image: String, dockerfile: Dockerfile, graph: StageGraph, inputs: BuildInputs, context: ContextRoot, folder: String
  ) {
    (self.image, self.dockerfile, self.graph) = (image, dockerfile, graph)
    (self.inputs, self.context, self.folder) = (inputs, context, folder)
  }
}

/// The services of the surroundings that builds need.
package struct BuildServices: Sendable {
  let images: ImageService
  let places: any StepPlaces
  /// A folder that outlives no boot and is root's alone: for secrets while a step runs.
  let passing: String
  let stop: StopSignal
  let memory: BuildMemory
  /// The image of a name, fetched where it must be. Called on any thread.
  let image: @Sendable (String) throws -> StoredImage
  /// Called on any thread, one call at a time.
  let report: @Sendable (BuildEvent) -> Void

  package init(
    images: ImageService, places: any StepPlaces, passing: String, stop: StopSignal, memory: BuildMemory,
    image: @escaping @Sendable (String) throws -> StoredImage, report: @escaping @Sendable (BuildEvent) -> Void
  ) {
    (self.images, self.places, self.passing, self.stop) = (images, places, passing, stop)
    (self.memory, self.image, self.report) = (memory, image, report)
  }

  var store: ImageStore { images.store }
}

/// A stage as far as it has come.
struct StageState: Sendable {
  var configuration: BuildConfiguration
  /// From the lowest to the topmost.
  var layers: [ImageRecord.Layer] = []
  /// The image that the lowest layers are of.
  var base: ImageRecord?
  /// Of its last step that changed files, or of its base. RFC 3339.
  var created: String
  var scope: StageScope?
  /// True once a dry run has come to a step that it does not do.
  var isUnknown = false
}
