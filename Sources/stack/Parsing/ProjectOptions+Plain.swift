extension LetteredProjectOptions {
  static var withDefaults: Self {
    var options = Self()
    (options.files, options.stack, options.name) = ([], nil, nil)
    (options.profile, options.environmentFiles, options.folder) = ([], [], nil)
    return options
  }
}

extension PlainOption {
  /// The options of ``ProjectOptions``, for a command that has them in a group.
  static func project(_ options: WritableKeyPath<Command, ProjectOptions>) -> [PlainOption<Command>] {
    [
      .texts("-f", "--file") { $0[keyPath: options].files.append($1) },
      .text("-s", "--stack") { $0[keyPath: options].stack = $1 },
      .text("-p", "--project-name", "--project") { $0[keyPath: options].name = $1 },
      .texts("--profile") { $0[keyPath: options].profile.append($1) },
      .texts("--env-file") { $0[keyPath: options].environmentFiles.append($1) },
      .text("--project-directory") { $0[keyPath: options].folder = $1 },
    ]
  }
}
