import ImageFormat

/// The inputs of a build beside its Dockerfile.
package struct BuildInputs: Sendable {
  /// A stage's name or number. Nil for the last.
  package var target: String?
  /// Values of ARGs by name.
  package var arguments: [String: String]
  /// The names of additional contexts. They come before stages and images of the same name.
  package var contexts: Set<String>
  /// The machine that builds, which is also what the image is for.
  package var platform: ImagePlatform

  package init(
    target: String? = nil, arguments: [String: String] = [:], contexts: Set<String> = [],
    platform: ImagePlatform = .own
  ) {
    (self.target, self.arguments, self.contexts, self.platform) = (target, arguments, contexts, platform)
  }

  /// ARGs that need no declaration. They reach RUN, and neither history nor cache keys.
  package static let proxies: Set<String> = {
    let names = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"]
    return Set(names + names.map { $0.lowercased() })
  }()

  /// The values of proxies that were given, by name.
  package var proxyEnvironment: [String: String] { arguments.filter { Self.proxies.contains($0.key) } }

  /// BUILD* and TARGET*. FROM sees them; a stage after an ARG of the name.
  var platformArguments: [String: String] {
    var values: [String: String] = [:]
    for prefix in ["BUILD", "TARGET"] {
      values[prefix + "PLATFORM"] = platform.description
      values[prefix + "OS"] = platform.os
      values[prefix + "ARCH"] = platform.architecture
      values[prefix + "VARIANT"] = platform.variant
    }
    return values
  }
}
