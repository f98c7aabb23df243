extension Down: PlainlyParsed {
  static var withDefaults: Down {
    var command = Down()
    command.stack = nil
    command.file = nil
    command.project = nil
    command.volumes = false
    command.timeout = nil
    command.removeOrphans = false
    command.progress = .withDefaults
    return command
  }

  static var plainOptions: [PlainOption<Down>] {
    [
      .text("-f", "--file") { $0.file = $1 },
      .text("-p", "--project") { $0.project = $1 },
      .flag("-v", "--volumes") { $0.volumes = true },
      .number("-t", "--timeout") { $0.timeout = $1 },
      .flag("--remove-orphans") { $0.removeOrphans = true },
      .choice("--progress") { $0.progress.progress = $1 },
    ]
  }

  mutating func takeOperands(_ words: [String]) -> Bool {
    stack = words.first
    return words.count <= 1
  }
}
