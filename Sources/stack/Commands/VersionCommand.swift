import ArgumentParser
import StackFiles

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version of stack.")

  enum Format: String, ExpressibleByArgument, CaseIterable { case pretty, json }

  @Flag(help: "Print the number alone.")
  var short = false
  @Option(name: [.short, .long], help: "Format of the output.")
  var format = Format.pretty

  func run() {
    let number = Version.number
    print(short ? number : format == .json ? "{\"version\":\"\(number)\"}" : Version.text)
  }
}
