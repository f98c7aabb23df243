import ArgumentParser

struct Images: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "images", abstract: "List the images of this host.")

  @OptionGroup var list: ImageListOptions

  func run() throws { try list.show() }
}
