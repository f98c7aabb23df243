import ArgumentParser
import ImageFormat
import ImageReference
import Images
import Orchestrator

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
      stack pull -f shop.stack                   all images of a file
      """)

  @Argument(help: ArgumentHelp("Images, or services of the file. Default: all images of the file.", valueName: "name"))
  var names: [String] = []
  @Option(
    name: [.customShort("f"), .customLong("file")],
    help: ArgumentHelp("The stack file.", valueName: "file"), completion: .file(extensions: ["stack", "yaml", "yml"]))
  var files: [String] = []
  @Option(
    help: ArgumentHelp(
      "The machine that the image is for, such as linux/arm64. Default: this one.", valueName: "os/arch"))
  var platform: String?
  @Flag(name: [.short, .long], help: "Print only names.")
  var quiet = false

  func run() throws {
    try Session.run(needsRoot: true) { session in
      for (source, platform) in try sources(in: session) {
        let printer = PullPrinter(isQuiet: quiet)
        let pull = try ImageCommand(session.context).pull(source, platform: platform) { printer.show($0) }
        for text in pull.warnings { standardError("", "warning: \(text)") }
        printer.finish(pull, source)
      }
    }
  }

  private func sources(in session: Session) throws -> [(ImageSource, ImagePlatform)] {
    var wanted = ImagePlatform.own
    if let platform {
      guard let read = ImagePlatform(platform) else {
        throw ValidationError("--platform takes os/architecture, not \(platform)")
      }
      wanted = read
    }
    if files.isEmpty, !names.isEmpty {
      return try names.map { name in
        do throws(ImageReferenceError) {
          return (try ImageSource(name), wanted)
        } catch {
          throw Session.failure("\(error)\n  \(error.remedy)")
        }
      }
    }
    var request = LoadRequest(paths: files)
    request.services = names
    let images = ImageCommand(session.context).images(of: try session.load(request))
    return images.map { ($0.source, platform == nil ? $0.platform : wanted) }
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
      for name in try ImageCommand(session.context).loadImages(input, report: { printer.show($0) }) where !quiet {
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
