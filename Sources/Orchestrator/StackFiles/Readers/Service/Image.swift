import ImageFormat
import ImageReference
import Vocabulary

extension Field {
  /// `image:` and what goes with it. Answers whether the service runs from an image.
  func readImage(_ draft: ServiceDraft, into service: inout StackFile.Service) -> Bool {
    if draft.rootfs == nil, let build = draft.build, !build.node.isNull { service.build = build.imageBuild() }
    let isBuilt = draft.rootfs == nil && draft.build.map { !$0.node.isNull } ?? false
    guard draft.rootfs == nil, let field = draft.image, !field.node.isNull, !(isBuilt && field.isEmpty) else {
      guard !isBuilt else {
        // The name follows from the stack's, once that is known.
        readImagePolicies(draft, into: &service)
        return true
      }
      for field in [draft.platform, draft.pullPolicy].compactMap(\.self) where !field.node.isNull {
        field.report(.ignoredKey, "\"\(field.name)\" has no effect: the service has no image", at: field.key)
      }
      return false
    }
    readImagePolicies(draft, into: &service)
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

  private func readImagePolicies(_ draft: ServiceDraft, into service: inout StackFile.Service) {
    service.platform = draft.platform.flatMap { $0.platform() }
    service.pullPolicy = draft.pullPolicy.flatMap { $0.pullPolicyChoice() }
    if let policy = service.pullPolicy, policy.value == .build, service.build == nil, let field = draft.pullPolicy {
      field.report(
        .missingKey, "\"pull_policy: build\" needs a \"build\"", at: policy.span, help: ["write `build: .`"])
    }
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
