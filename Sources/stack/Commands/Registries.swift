import ArgumentParser
import Glibc
import Orchestrator
import SystemPackage
import Vocabulary

struct Push: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "push", abstract: "Bring images of this host into a registry.",
    discussion: """
      stack push                                      what this folder's file builds
      stack push web                                  that of one service of it
      stack tag web registry.example:5000/team/web:1
      stack push registry.example:5000/team/web:1     an image by its name

      What the registry has already is not sent. An upload that breaks off goes on.
      """)

  @Argument(
    help: ArgumentHelp(
      "Services with build:, or images, whose names say their registry. Default: all services with build:.",
      valueName: "name"),
    completion: Completions.images)
  var names: [String] = []
  @OptionGroup var options: ProjectOptions
  @Flag(help: "Push the images of what the services depend on, too.")
  var includeDeps = false
  @Flag(help: "Report an image that cannot be pushed, and go on.")
  var ignorePushFailures = false
  @Flag(name: [.short, .long], help: "Print only names.")
  var quiet = false

  func run() throws {
    try Session.run(needsRoot: true) { session in
      let session = try session.taking(options.project)
      for name in try images(in: session) {
        let printer = PushPrinter(isQuiet: quiet)
        do {
          guard let digest = try ImageCommand(session.context).pushImage(name, report: { printer.show($0) }) else {
            printer.end()
            standardError("", "interrupted: what \(name) has at the registry is not sent again")
            throw ExitCode(130)
          }
          printer.end()
          print(quiet ? name : "\(name): pushed (\(digest))")
        } catch let errors as StackErrors {
          printer.end()
          guard ignorePushFailures else { throw errors }
          standardError("", "warning: \(errors)")
        }
      }
    }
  }

  /// The names of the images that are meant.
  private func images(in session: Session) throws -> [String] {
    guard try names.isEmpty || session.areServices(names, options.project) else { return names }
    var request = options.project.loadRequest()
    (request.services, request.includesDependencies) = (names, includeDeps)
    let loaded = try session.load(request)
    let orders = try BuildCommand(session.context).orders(of: loaded, BuildCommand.ServiceOptions())
    if orders.isEmpty { standardError("", "\(loaded.name): no service has build:") }
    return orders.flatMap(\.names).map(\.familiar)
  }
}

struct Login: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "login", abstract: "Log in to a registry.",
    discussion: """
      stack login registry.example:5000
      echo "$TOKEN" | stack login ghcr.io -u me --password-stdin

      The credentials are kept where Docker keeps them: in ~/.docker/config.json, or by
      the program that it names (credsStore, credHelpers).
      """)

  @Argument(help: ArgumentHelp("The registry. Default: docker.io.", valueName: "registry"))
  var registry: String?
  @Option(name: [.short, .long], help: "The user's name.")
  var username: String?
  @Option(name: [.short, .long], help: "The password. Others can see it in the list of processes.")
  var password: String?
  @Flag(help: "Read the password from standard input.")
  var passwordStdin = false

  func run() throws {
    try Session.run(needsRoot: false) { session in
      let user = try username ?? Self.ask("Username: ", isSecret: false)
      let secret = passwordStdin ? Self.line() : try password ?? Self.ask("Password: ", isSecret: true)
      guard let secret, !secret.isEmpty, !user.isEmpty else {
        throw Session.failure("a name and a password are needed")
      }
      let file = try ImageCommand(session.context).logIn(registry, user: user, password: secret)
      print("logged in: the credentials are in \(file)")
    }
  }

  private static func line() -> String? { readLine(strippingNewline: true) }

  private static func ask(_ question: String, isSecret: Bool) throws -> String {
    guard isatty(STDIN_FILENO) == 1 else {
      throw Session.failure("there is no terminal to ask on: use --username and --password-stdin")
    }
    _ = try? FileDescriptor.standardError.writeAll(Array(question.utf8))
    var former = termios()
    tcgetattr(STDIN_FILENO, &former)
    var silent = former
    if isSecret { silent.c_lflag &= ~tcflag_t(ECHO) }
    tcsetattr(STDIN_FILENO, TCSANOW, &silent)
    defer {
      tcsetattr(STDIN_FILENO, TCSANOW, &former)
      if isSecret { _ = try? FileDescriptor.standardError.writeAll([0x0A]) }
    }
    return line() ?? ""
  }
}

struct Logout: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logout", abstract: "Forget the credentials of a registry.")

  @Argument(help: ArgumentHelp("The registry. Default: docker.io.", valueName: "registry"))
  var registry: String?

  func run() throws {
    try Session.run(needsRoot: false) { session in try ImageCommand(session.context).logOut(registry) }
  }
}

struct Save: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "save", abstract: "Write images as one archive, which Docker and Podman load.")

  @Argument(help: ArgumentHelp("Names, or beginnings of ids.", valueName: "image"), completion: Completions.images)
  var names: [String]
  @Option(
    name: [.short, .long], help: ArgumentHelp("The archive. Default: standard output.", valueName: "file"),
    completion: .file())
  var output: String?

  func run() throws {
    try Session.run(needsRoot: true) { session in
      guard let output else {
        guard isatty(STDOUT_FILENO) != 1 else {
          throw Session.failure("an archive is nothing for a terminal: use --output")
        }
        return try ImageCommand(session.context).saveImages(names, to: .standardOutput)
      }
      let new = "\(output).new"
      let file: FileDescriptor
      do {
        file = try FileDescriptor.open(
          new, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: [.ownerReadWrite])
      } catch {
        throw Session.failure("cannot write \(output): \(error)")
      }
      do {
        try file.closeAfter { try ImageCommand(session.context).saveImages(names, to: file) }
      } catch {
        unlink(new)
        throw error
      }
      guard rename(new, output) == 0 else { throw Session.failure("cannot write \(output): \(Errno(rawValue: errno))") }
    }
  }
}
