extension Up: PlainlyParsed {
  static var withDefaults: Up {
    var command = Up()
    command.source = .withDefaults
    command.services = []
    command.detach = false
    command.attach = false
    command.dryRun = false
    command.forceRecreate = false
    command.noRecreate = false
    command.noDeps = false
    command.waitTimeout = nil
    command.timeout = nil
    command.scale = []
    command.wait = false
    command.verify = false
    command.removeOrphans = false
    command.abortOnContainerExit = false
    command.exitCodeFrom = nil
    command.pull = nil
    command.build = false
    command.noBuild = false
    command.quietPull = false
    command.progress = .withDefaults
    return command
  }

  static var plainOptions: [PlainOption<Up>] {
    [
      .texts("-f", "--file") { $0.source.files.append($1) },
      .text("-p", "--project") { $0.source.name = $1 },
      .texts("--profile") { $0.source.profile.append($1) },
      .flag("-d", "--detach") { $0.detach = true },
      .flag("--attach") { $0.attach = true },
      .flag("--dry-run") { $0.dryRun = true },
      .flag("--force-recreate") { $0.forceRecreate = true },
      .flag("--no-recreate") { $0.noRecreate = true },
      .flag("--no-deps") { $0.noDeps = true },
      .number("--wait-timeout") { $0.waitTimeout = $1 },
      .number("-t", "--timeout") { $0.timeout = $1 },
      .texts("--scale") { $0.scale.append($1) },
      .flag("--wait") { $0.wait = true },
      .flag("--verify") { $0.verify = true },
      .flag("--remove-orphans") { $0.removeOrphans = true },
      .flag("--abort-on-container-exit") { $0.abortOnContainerExit = true },
      .text("--exit-code-from") { $0.exitCodeFrom = $1 },
      .choice("--pull") { $0.pull = $1 },
      .flag("--build") { $0.build = true },
      .flag("--no-build") { $0.noBuild = true },
      .flag("--quiet-pull") { $0.quietPull = true },
      .choice("--progress") { $0.progress.progress = $1 },
    ]
  }

  mutating func takeOperands(_ words: [String]) -> Bool {
    source.file = words.first
    services = Array(words.dropFirst())
    return true
  }
}

extension SourceOptions {
  static var withDefaults: SourceOptions {
    var options = SourceOptions()
    options.file = nil
    options.files = []
    options.name = nil
    options.profile = []
    return options
  }
}

extension ProgressOptions {
  static var withDefaults: ProgressOptions {
    var options = ProgressOptions()
    options.progress = .auto
    return options
  }
}
