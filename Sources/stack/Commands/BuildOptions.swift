import ArgumentParser
import Orchestrator

/// The options of commands that bring services up, about images that are built from the file.
struct BuildOptions: ParsableArguments {
  @Flag(help: "Build the images of services with build:, though they are there.")
  var build = false
  @Flag(help: "Build no image, though one is missing.")
  var noBuild = false
  @Flag(help: "Say nothing of how far builds have come.")
  var quietBuild = false

  static var withDefaults: BuildOptions {
    var options = BuildOptions()
    (options.build, options.noBuild, options.quietBuild) = (false, false, false)
    return options
  }

  func validate() throws {
    guard !build || !noBuild else { throw ValidationError("--build and --no-build cannot go together") }
  }

  /// Gives options with which builds are as these say, and are shown.
  func showing<Result>(
    _ loaded: LoadedStack, _ progress: ProgressOptions, _ options: UpCommand.Options,
    _ body: (UpCommand.Options) throws -> Result
  ) rethrows -> Result {
    let style = quietBuild ? .quiet : BuildPrinter.style(progress.progress)
    let printer = BuildPrinter(style, namesImages: loaded.buildCount > 1)
    defer { printer.end() }
    var options = options
    options.builds = build ? true : noBuild ? false : nil
    (options.buildReport, options.whileBuilding) = ({ printer.show($0) }, { printer.tick() })
    return try body(options)
  }
}
