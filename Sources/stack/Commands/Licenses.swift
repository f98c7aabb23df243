import ArgumentParser

struct Licenses: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "licenses", abstract: "Print the licenses of this binary and of the libraries in it.")

  @Flag(help: "Print the full texts of the licenses too.")
  var full = false
  @Flag(help: .hidden)
  var table = false

  func run() {
    print(table ? LicenseNotices.table : full ? LicenseNotices.fullText : LicenseNotices.text, terminator: "")
  }
}
