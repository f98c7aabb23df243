import ImageFormat
import ImageReference
import Isolation
import Vocabulary

/// The mapping under `build:` as it is read.
private struct BuildDraft {
  var build: StackFile.Build
  var hasContext = false

  private static let inPlace = "steps are kept in this host's store, which the next build finds"

  static let keys = KeyTable<BuildDraft>(
    "build",
    [
      .read("context", "the folder that COPY takes files from; the stack's") { field, draft in
        draft.hasContext = true
        if let context = field.buildContext() { draft.build.context = context }
      },
      .read("dockerfile", "the Dockerfile, from the context; Dockerfile") { field, draft in
        draft.build.dockerfile = field.nonEmptyText()
      }.optional,
      .read("dockerfile_inline", "the text of a Dockerfile, instead of a file") { field, draft in
        draft.build.inline = field.nonEmptyText()
      },
      .read("args", "values for ARG") { field, draft in
        var arguments = EnvironmentBuilder()
        field.readEnvironment(into: &arguments)
        draft.build.arguments = arguments.variables
      },
      .read("target", "the stage that is built; the last") { field, draft in
        draft.build.target = field.nonEmptyText()
      }.optional,
      .read("tags", "further names of the image") { field, draft in draft.build.tags = field.imageNames() },
      .read("labels", "labels of the image") { field, draft in draft.build.labels = field.labels() },
      .read("network", "the network of RUN: none, host, or one of the stack") { field, draft in
        draft.build.network = field.buildNetwork()
      },
      .read("no_cache", "true: every step is built anew") { field, draft in
        draft.build.usesCache = !(field.boolean() ?? false)
      },
      .read("no_cache_filter", "stages of which every step is built anew") { field, draft in
        draft.build.uncachedStages = field.texts()
      },
      .read("pull", "true: images of FROM are fetched though they are there") { field, draft in
        draft.build.pulls = field.boolean() ?? false
      },
      .read("secrets", "secrets that steps may mount") { field, draft in draft.build.secrets = field.buildSecrets() },
      .read("extra_hosts", "names for /etc/hosts of RUN") { field, draft in
        draft.build.extraHosts = field.extraHosts()
      },
      .read("shm_size", "the size of /dev/shm in RUN; 64m") { field, draft in
        draft.build.sharedMemory = field.size()
      },
      .read("additional_contexts", "folders and images that FROM and --from may name") { field, draft in
        draft.build.contexts = field.buildContexts()
      },
      .read("ulimits", "limits of each process of RUN") { field, draft in draft.build.limits = field.processLimits() },
      .read("platforms", "this machine's; a note says which others are not built") { field, _ in
        field.checkBuildPlatforms()
      },
      .read("privileged", "false: steps run in the sandbox of services") { field, _ in
        guard field.boolean() ?? false else { return }
        field.report(
          .notSupported, "a build cannot be privileged", at: field.key,
          help: ["leave it out: each step runs in the sandbox that services run in"])
      },
      .read("isolation", "default") { field, _ in
        guard let text = field.nonEmptyText(), text.value != "default" else { return }
        field.report(
          .notSupported, "\"isolation\" cannot be \"\(Field.shortened(text.value))\"", at: field.key,
          help: ["leave it out: it is for Windows"])
      },
      .notSupported("ssh", "give the step a token: a secret, and `RUN --mount=type=secret,id=token`"),
      .notSupported("entitlements", "leave it out: each step runs in the sandbox that services run in"),
      .ignored("cache_from", inPlace), .ignored("cache_to", inPlace),
      .ignored("provenance", "images get no attestations"), .ignored("sbom", "images get no attestations"),
    ])
}

extension Field {
  /// `build:`, a folder or a mapping. Nil for one without a context that can be used.
  func imageBuild() -> StackFile.Build? {
    if node.scalar != nil, !node.isNull {
      return buildContext().map { StackFile.Build(context: $0) }
    }
    guard node.entries != nil else {
      reportShape("a folder or a mapping", help: ["write `build: .` for the stack's own folder"])
      return nil
    }
    var draft = BuildDraft(build: StackFile.Build(context: Located(context.folder, key)))
    BuildDraft.keys.read(self, into: &draft)
    if let inline = draft.build.inline, let file = draft.build.dockerfile {
      report(
        .conflictingKeys, "\"dockerfile\" and \"dockerfile_inline\" exclude each other", at: inline.span,
        also: [Diagnostic.Label(file.span, "the other")], help: ["leave one of them out"])
    }
    return draft.build
  }

  /// A folder of the host: its absolute path.
  fileprivate func buildContext() -> Located<String>? {
    guard let text = nonEmptyText() else { return nil }
    guard !Self.isRemote(text.value) else {
      report(
        .notSupported, "a context cannot be fetched: \"\(Self.shortened(text.value))\"", at: text.span,
        help: ["clone it, and name the folder"])
      return nil
    }
    guard let path = hostPath(text) else { return nil }
    return text.map { _ in path }
  }

  /// Docker's forms of git repositories and archives elsewhere.
  private static func isRemote(_ text: String) -> Bool {
    ["http://", "https://", "git://", "ssh://", "git@", "github.com/"].contains { text.hasPrefix($0) }
  }

  fileprivate func imageNames() -> [Located<String>] {
    (items() ?? []).compactMap { item -> Located<String>? in
      guard let text = item.nonEmptyText() else { return nil }
      do throws(ImageReferenceError) {
        _ = try ImageReference(text.value)
        return text
      } catch {
        item.report(.badImage, "\(error)", at: text.span, help: [error.remedy])
        return nil
      }
    }
  }

  fileprivate func buildNetwork() -> Located<StackFile.Build.Network>? {
    guard let text = nonEmptyText() else { return nil }
    switch text.value {
    case "none": return text.map { _ in .none }
    case "host": return text.map { _ in .host }
    default: return text.map { .named($0) }
    }
  }

  /// Names, or mappings with `source` and `target`.
  fileprivate func buildSecrets() -> [StackFile.Build.Secret] {
    fileUses(.secret).map { use in
      let id = Path.split(use.target).name
      return StackFile.Build.Secret(source: use.source, id: id)
    }
  }

  /// A mapping from names to places, or a list of `name=place`.
  fileprivate func buildContexts() -> [StackFile.Build.NamedContext] {
    assignments().compactMap { name, value -> StackFile.Build.NamedContext? in
      guard !name.value.isEmpty, let value, !value.isEmpty else {
        report(
          .missingKey, "the context \"\(Self.shortened(name.value))\" has no place", at: name.span,
          help: ["write a folder, docker-image://NAME, oci-layout://FOLDER or service:NAME"])
        return nil
      }
      return contextOrigin(Located(value, name.span)).map {
        StackFile.Build.NamedContext(name: name, origin: Located($0, name.span))
      }
    }
  }

  private func contextOrigin(_ text: Located<String>) -> StackFile.Build.Context? {
    func rest(_ prefix: String) -> String? {
      text.value.hasPrefix(prefix) ? String(text.value.dropFirst(prefix.count)) : nil
    }
    if let name = rest("service:") { return .service(name) }
    if let name = rest("docker-image://") {
      if (try? ImageReference(name)) != nil { return .image(name) }
      report(.badImage, "\"\(Self.shortened(name))\" names no image", at: text.span)
      return nil
    }
    if let path = rest("oci-layout://") {
      return hostPath(text.map { _ in path }).map { .image("oci:\($0)") }
    }
    guard !Self.isRemote(text.value) else {
      report(
        .notSupported, "a context cannot be fetched: \"\(Self.shortened(text.value))\"", at: text.span,
        help: ["clone it, and name the folder"])
      return nil
    }
    return hostPath(text).map { .folder($0) }
  }

  fileprivate func checkBuildPlatforms() {
    let platforms = (items() ?? []).compactMap { $0.nonEmptyText() }
    let others = platforms.filter { text in !(ImagePlatform(text.value).map(ImagePlatform.own.runs) ?? false) }
    let hasOwn = others.count < platforms.count
    for text in others {
      let name = Self.shortened(text.value)
      if hasOwn {
        report(
          .ignoredKey, "no image for \"\(name)\" is built: this machine is \(ImagePlatform.own)", at: text.span)
      } else {
        report(
          .notSupported, "an image for \"\(name)\" cannot be built here", at: text.span,
          help: ["build on a machine of that kind: this one is \(ImagePlatform.own)"])
      }
    }
  }

  /// `always`, `missing`, `if_not_present`, `never`, `build`, `daily`, `weekly`, `every_12h`.
  func pullPolicyChoice() -> Located<StackFile.PullPolicy>? {
    guard !node.isNull, let text = nonEmptyText() else { return nil }
    if let policy = StackFile.PullPolicy(text.value) { return text.map { _ in policy } }
    if text.value.hasPrefix("every_") {
      report(
        .badDuration, "\"\(name)\" has no duration behind every_", at: text.span,
        help: ["write it with its unit: every_12h, every_2d"])
    } else {
      reportChoice(text.value, among: StackFile.PullPolicy.words)
    }
    return nil
  }
}
