import ArgumentParser
import Orchestrator

/// The command that completion scripts ask for names: not for people to type.
struct Complete: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "__complete", abstract: "List names for a shell.", shouldDisplay: false)

  enum Kind: String, ExpressibleByArgument, CaseIterable {
    case stacks, services, places, sources, scales, builds, copies, networks, links, volumes, images, profiles
    case hostNetworks = "host-networks"
    case hostVolumes = "host-volumes"
  }

  @Argument var kind: Kind
  /// The words that are typed already: options in them say which stack is meant.
  @Argument(parsing: .captureForPassthrough) var words: [String] = []

  func run() throws {
    // Whatever is wrong is said when the command is typed to its end.
    try? Session.run(needsRoot: false, in: nil) { session in
      for name in CompletionCommand(session.context).names(of: kind.rawValue, words) { print(name) }
    }
  }
}

extension Complete: PlainlyParsed {
  static var withDefaults: Complete {
    var command = Complete()
    command.kind = .stacks
    command.words = []
    return command
  }

  static var plainOptions: [PlainOption<Complete>] { [] }
  static var endsAtFirstOperand: Bool { true }

  mutating func takeOperands(_ words: [String]) -> Bool {
    guard let kind = words.first.flatMap(Kind.init) else { return false }
    (self.kind, self.words) = (kind, Array(words.dropFirst()))
    return true
  }
}
