import Host
import ImageReference
import Images
import Intent
import Kernel
import Supervision
import Vocabulary

extension ImageCommand {
  /// Makes what a service has written an image on top of its own. The service stands still meanwhile.
  ///
  /// - Returns: the image's id.
  package func commit(
    _ service: String, in stack: String?, as name: String, author: String?, message: String?, pauses: Bool,
    report: (OperationEvent) -> Void
  ) throws(StackErrors) -> String {
    let reference = try givenName(name)
    let place = try index.find(service, in: stack)
    let subject = "\(place.stack)/\(place.service)"
    let desired = try rethrowing(subject) { () throws(KernelError) in
      try index.desired(place.stack)?.service(named: place.service)
    }
    guard let desired, let image = desired.image else {
      throw StackErrors([
        StackError(subject, "runs from no image, so what it wrote lies on none", remedy: "copy files out: stack cp")
      ])
    }
    let isRunning = try rethrowing(subject) { () throws(KernelError) in
      try index.record(of: place.service, in: place.stack).phase == .running
    }
    let pauses = pauses && isRunning
    if pauses { _ = try ActCommand(context).run(.pause, on: [place.service], of: place.stack, report: report) }
    defer {
      if pauses { _ = try? ActCommand(context).run(.unpause, on: [place.service], of: place.stack, report: report) }
    }
    return try holdingImages { () throws(StackErrors) in
      guard let base = images.store.images().first(where: { "\($0.manifest)" == image.digest }) else {
        throw StackErrors([
          StackError(
            subject, "its image \(image.name) is not in the store", remedy: "pull it: stack pull \(image.name)")
        ])
      }
      do throws(ImageError) {
        let record = try images.commit(
          folders.stack(place.stack).service(place.service).upper, firstID: desired.firstIdentity, on: base,
          as: reference, author: author, message: message, interruption: interruption)
        return "\(record.configuration)"
      } catch {
        throw StackErrors([StackError(error)])
      }
    }
  }
}
