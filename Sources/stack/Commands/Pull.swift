import ArgumentParser
import ImageFormat
import ImageReference
import Images
import Orchestrator
import Vocabulary

/// The values of `--pull`: the condition under which images are fetched.
enum PullPolicy: String, ExpressibleByArgument, CaseIterable {
  case missing, always, never

  var policy: ImageService.Policy {
    switch self {
    case .missing: .missing
    case .always: .always
    case .never: .never
    }
  }
}

struct Pull: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pull", abstract: "Fetch images from a registry, a folder or an archive.",
    discussion: """
      stack pull nginx:alpine                    from docker.io
      stack pull registry.example:5000/a/b:1.2   from another registry
      stack pull oci:./folder                    from an OCI image layout
      stack pull docker-archive:./file.tar       from what `docker save` wrote
      stack pull                                 all images of this folder's file
      stack pull web                             that of one service of it
      stack pull -f shop.stack                   all images of another file
      stack pull -f shop.stack --lock            and hold `up` to what it brings

      Ctrl-C keeps what has come. The next pull goes on there.
      """)

  enum Policy: String, ExpressibleByArgument, CaseIterable { case always, missing }

  @Argument(
    help: ArgumentHelp("Images, or services of the file. Default: all images of the file.", valueName: "name"),
    completion: Completions.services)
  var names: [String] = []
  @OptionGroup var options: ProjectOptions
  @Option(
    help: ArgumentHelp(
      "The machine that the image is for, such as linux/arm64. Default: this one.", valueName: "os/arch"))
  var platform: String?
  @Option(help: ArgumentHelp("Which images are asked for: always, or only those that are missing.", valueName: "when"))
  var policy = Policy.always
  @Flag(help: "Fetch the images of what the services depend on, too.")
  var includeDeps = false
  @Flag(help: "Leave out the images of services with build:.")
  var ignoreBuildable = false
  @Flag(help: .hidden)
  var parallel = false
  @Flag(help: .hidden)
  var noParallel = false
  @Flag(help: "Report an image that cannot be had, and go on.")
  var ignorePullFailures = false
  @Flag(
    name: .customLong("lock"),
    help: "Write the digests to the file's .lock, which `up` then holds to: shop.lock beside shop.stack.")
  var writesLock = false
  @Flag(name: [.short, .long], help: "Print only names.")
  var quiet = false

  func run() throws {
    try Session.run(needsRoot: true) { session in
      let session = try session.taking(options.project)
      let command = ImageCommand(session.context)
      let printer = PullPrinter(isQuiet: quiet)
      let (images, loaded) = try images(in: session)
      var lock = try loaded.flatMap { try command.lock(of: $0, isNew: writesLock) }
      for (source, platform) in images {
        if policy == .missing, try command.isPresent(source, platform: platform) { continue }
        do {
          guard let pull = try command.pull(source, platform: platform, report: { printer.show($0) }) else {
            printer.end()
            standardError("", "interrupted: the next pull of \(source) goes on with what has come")
            throw ExitCode(130)
          }
          printer.finish(pull, source)
          for text in pull.warnings { standardError("", "warning: \(text)") }
          guard var held = lock else { continue }
          if let text = command.compare(source, "\(pull.digest)", with: &held, isChanging: writesLock) {
            standardError("", "warning: \(text)")
          }
          lock = held
        } catch let errors as StackErrors {
          printer.end()
          guard ignorePullFailures else { throw errors }
          standardError("", "warning: \(errors)")
        }
      }
      if writesLock, let lock, let loaded { try command.write(lock, of: loaded) }
    }
  }

  /// The images that are meant, and the file that they are of.
  private func images(in session: Session) throws -> ([(ImageSource, ImagePlatform)], LoadedStack?) {
    var wanted = ImagePlatform.own
    if let platform {
      guard let read = ImagePlatform(platform) else {
        throw ValidationError("--platform takes os/architecture, not \(platform)")
      }
      wanted = read
    }
    if options.files.isEmpty, !names.isEmpty, !(try session.areServices(names, options.project)) {
      guard !writesLock else {
        throw ValidationError("--lock is about a file: name it with --file, or name no image")
      }
      let sources = try names.map { name in
        do throws(ImageReferenceError) {
          return (source: try ImageSource(name), platform: wanted)
        } catch {
          throw Session.failure("\(error)\n  \(error.remedy)")
        }
      }
      return (sources, nil)
    }
    var request = options.project.loadRequest()
    (request.services, request.includesDependencies) = (names, includeDeps)
    let loaded = try session.load(request)
    let images = ImageCommand(session.context).images(of: loaded, withoutBuilt: ignoreBuildable)
    return (images.map { ($0.source, platform == nil ? $0.platform : wanted) }, loaded)
  }
}

struct Load: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load", abstract: "Take in the images of an archive or of an OCI image layout.")

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("What `docker save` or `podman save` wrote, or a folder.", valueName: "path"),
    completion: .file())
  var input: String
  @Flag(name: [.short, .long], help: "Print nothing.")
  var quiet = false

  func run() throws {
    try Session.run(needsRoot: true) { session in
      let printer = PullPrinter(isQuiet: quiet)
      let names = try ImageCommand(session.context).loadImages(input) { printer.show($0) }
      printer.end()
      for name in names where !quiet {
        print("Loaded image\(name.hasPrefix("sha256:") ? " ID" : ""): \(name)")
      }
    }
  }
}

/// A hidden command: `pull` starts this program again with it, for each layer.
struct Unpack: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unpack", abstract: "Unpack a layer.", shouldDisplay: false)

  func run() { ImageCommand.unpack() }
}

/// The command that `pull` and `push` start to talk to a registry: not for people to type.
struct RegistryTransfer: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "registry", abstract: "Talk to a registry.", shouldDisplay: false)

  func run() { ImageCommand.serveRegistry() }
}
