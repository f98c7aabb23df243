import FoundationEssentials
import Isolation

extension Field {
  /// A seccomp profile in Docker's format, from a file beside the stack file; its text in one form, whatever the file's.
  func seccompProfile(at path: String, named place: Span) -> String? {
    let location = Path.resolve(path, in: context.folder(of: place))
    guard let source = context.loader.load(path, from: location, namedAt: place) else { return nil }
    do {
      let profile = try JSONDecoder().decode(SeccompProfile.self, from: Data(source.bytes))
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return String(decoding: try encoder.encode(profile), as: UTF8.self)
    } catch {
      report(
        .badSeccompProfile, "\"\(Self.shortened(path))\" is not a seccomp profile", Self.explanation(error), at: place,
        help: ["write it in Docker's format: {\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": […]}"])
      return nil
    }
  }

  private static func explanation(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "" }
    func place(_ context: DecodingError.Context) -> String {
      context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
        .trimmingPrefix(".").description
    }
    switch error {
    case .keyNotFound(let key, let context):
      let path = place(context)
      return "it has no \"\(key.stringValue)\"" + (path.isEmpty ? "" : " in \(path)")
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "\(place(context)) is of the wrong kind"
    case .dataCorrupted(let context):
      let path = place(context)
      return path.isEmpty ? "it is not JSON" : "\(path) has an unknown value"
    @unknown default: return ""
    }
  }
}
