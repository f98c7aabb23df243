import ImageFormat
import ImageReference
import Vocabulary

extension Field {
  /// `image:` and what goes with it. Answers whether the service runs from an image.
  func readImage(_ draft: ServiceDraft, into service: inout StackFile.Service) -> Bool {
    guard draft.rootfs == nil, let field = draft.image, !field.node.isNull else {
      for field in [draft.platform, draft.pullPolicy].compactMap(\.self) where !field.node.isNull {
        field.report(.ignoredKey, "\"\(field.name)\" has no effect: the service has no image", at: field.key)
      }
      return false
    }
    service.platform = draft.platform.flatMap { $0.platform() }
    service.pullPolicy = draft.pullPolicy.flatMap { $0.isEmpty ? nil : $0.pullPolicy() }
    guard let text = field.nonEmptyText() else { return true }
    do {
      let source = try ImageSource(text.value)
      // A path that cannot be one has been reported.
      guard let path = source.path else {
        service.rootfs = text.map { _ in .image(source) }
        return true
      }
      if let folder = field.hostPath(text.map { _ in path }) {
        service.rootfs = text.map { _ in .image(source.mapPath { _ in folder }) }
      }
    } catch {
      field.report(.badImage, "\(error)", at: text.span, help: [error.remedy])
    }
    return true
  }

  private func pullPolicy() -> Located<StackFile.PullPolicy>? {
    let text = node.scalar?.text ?? ""
    guard ["daily", "weekly"].contains(text) || text.hasPrefix("every_") else {
      return choice(StackFile.PullPolicy.self)
    }
    report(
      .ignoredKey, "\"pull_policy: \(Self.shortened(text))\" is as missing: `stack pull` fetches what is newer",
      at: span)
    return Located(.missing, span)
  }

  private func platform() -> Located<String>? {
    guard !node.isNull, let text = nonEmptyText() else { return nil }
    guard ImagePlatform(text.value)?.os == "linux" else {
      report(
        .badChoice, "\"\(Self.shortened(text.value))\" is no platform of Linux",
        help: ["write an architecture: linux/amd64, linux/arm64, linux/arm/v7"])
      return nil
    }
    return text
  }

  func readHealthCheck(_ draft: ServiceDraft, into service: inout StackFile.Service, hasImage: Bool) {
    guard let field = draft.healthCheck else { return }
    let written = field.healthOverrides()
    // Without an image there is nothing that they would stand over.
    if hasImage { service.healthOverrides = written }
    service.healthCheck = field.healthCheck(written, hasImage: hasImage)
  }
}
