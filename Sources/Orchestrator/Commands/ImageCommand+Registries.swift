import ImageFormat
import ImageReference
import ImageStore
import Images
import Kernel
import Registry
import SystemPackage
import Vocabulary

extension ImageCommand {
  /// The registry that people mean: docker.io where they name none.
  private func domain(_ text: String?) -> String {
    guard var rest = text.map({ Substring($0) }), !rest.isEmpty else { return ImageReference.hub }
    for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
    let host = String(rest.prefix { $0 != "/" })
    return ["index.docker.io", "registry-1.docker.io"].contains(host) ? ImageReference.hub : host
  }

  /// Has a registry check a name and a password, and keeps them.
  ///
  /// - Returns: the file that they are in now.
  package func logIn(_ registry: String?, user: String, password: String) throws(StackErrors) -> String {
    do {
      return try images.logIn(
        domain(registry), Credentials(user: user, password: password), interruption: interruption)
    } catch {
      throw StackErrors([
        StackError(nil, "cannot log in to \(domain(registry)): \(error.problem)", remedy: error.remedy)
      ])
    }
  }

  /// Brings an image into the registry that its name says.
  ///
  /// - Returns: the digest of its manifest; nil when the user wanted no more.
  package func pushImage(_ name: String, report: (PushEvent) -> Void) throws(StackErrors) -> String? {
    let image = try image(name)
    let reference: ImageReference
    do throws(ImageReferenceError) {
      reference = try ImageReference(name)
    } catch {
      throw StackErrors([
        StackError(nil, "\(error)", remedy: "give the image a name: stack tag \(name) registry/name:tag")
      ])
    }
    guard reference.digest == nil else {
      throw StackErrors([
        StackError(
          nil, "cannot push \(name): it is pushed by a tag, and has its digest then", remedy: "leave the digest out")
      ])
    }
    return try holdingImages { () throws(StackErrors) in
      do throws(ImageError) {
        try images.push(image.record, as: reference, interruption: interruption, report: report)
        return "\(image.record.manifest)"
      } catch {
        guard error.isStopped else { throw StackErrors([StackError(error)]) }
        return nil
      }
    }
  }

  /// Forgets them.
  package func logOut(_ registry: String?) throws(StackErrors) {
    do {
      guard try images.logOut(domain(registry)) else {
        throw StackErrors([StackError(nil, "nobody is logged in to \(domain(registry))")])
      }
    } catch let error as ImageError {
      throw StackErrors([StackError(error)])
    } catch let error as StackErrors {
      throw error
    } catch {
      throw StackErrors([StackError(nil, "\(error)")])
    }
  }

  /// Writes images as one archive, which Docker and Podman load.
  package func saveImages(_ names: [String], to file: FileDescriptor) throws(StackErrors) {
    var merged: [(record: ImageRecord, names: [String])] = []
    for name in names {
      let image = try image(name)
      let stored = (try? ImageSource(name)).map { ImageService.storedName($0) }
      let meant = image.names.map(\.name).filter { $0 == stored }
      if let place = merged.firstIndex(where: { $0.record.manifest == image.record.manifest }) {
        merged[place].names += meant
      } else {
        merged.append((image.record, meant))
      }
    }
    try holdingImages { () throws(StackErrors) in
      do throws(ImageError) {
        try images.save(merged, to: file)
      } catch {
        throw StackErrors([StackError(error)])
      }
    }
  }

  /// The steps that made the layers of an image, the topmost first.
  package func history(of name: String) throws(StackErrors) -> [ImageStep] {
    let image = try image(name)
    let configuration: ImageConfiguration
    do {
      configuration = try ImageConfiguration(try self.configuration(of: image))
    } catch let error as StackErrors {
      throw error
    } catch {
      throw StackErrors([StackError(nil, "image \(name): the configuration \(error)")])
    }
    var sizes = image.record.layers.map(\.size)[...]
    let steps = (configuration.history ?? []).map { step -> ImageStep in
      let size = step.isEmptyLayer == true ? 0 : sizes.popFirst() ?? 0
      return ImageStep(
        created: step.created ?? "", command: step.createdBy ?? "", size: size, comment: step.comment ?? "")
    }
    var all = (steps + sizes.map { ImageStep(created: "", command: "", size: $0, comment: "") })
    // As Docker: the last step made the image, and those before it have no id of their own.
    if let last = all.indices.last { all[last].image = image.record.configuration }
    return all.reversed()
  }

  /// A step of an image's history.
  package struct ImageStep: Sendable, Hashable {
    package var image: ContentDigest?
    package var created: String
    package var command: String
    package var size: Int64
    package var comment: String
  }
}
