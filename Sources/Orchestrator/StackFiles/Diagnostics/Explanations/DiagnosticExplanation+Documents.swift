extension DiagnosticExplanation {
  /// E0001 to E0023: files, YAML and variables.
  static let documents: [DiagnosticExplanation] = [
    .init(
      .unreadableFile, "a file is missing or cannot be read",
      """
      The stack file, or a file that it names, does not exist or may not be read. A relative path starts
      from the folder of the first stack file. An `env_file` that may be missing has `required: false`.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            env_file: missing.env
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            env_file: [{path: missing.env, required: false}]
        """),
    .init(
      .notAFile, "a path is not a regular file: a folder, a FIFO, a socket or a device",
      """
      `stack` reads regular files only. Reading a FIFO or a device could block forever. Name a file
      instead. To pass a generated stack file, write it to standard input: `stack up -f -`.
      """,
      wrongBeside: ["mkdir settings"],
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            env_file: settings
        """,
      mendedBeside: ["mkdir settings", "echo LEVEL=info >settings/web.env"],
      mended: """
        services:
          web:
            command: [sleep, infinity]
            env_file: settings/web.env
        """),
    .init(
      .fileTooLarge, "a file is larger than 4 MiB",
      """
      Stack files and environment files are limited to 4 MiB. A larger file is usually named by mistake.
      Give large data to a service through `volumes` instead.
      """,
      wrongBeside: ["truncate -s 5M data.bin"],
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            env_file: data.bin
        """,
      mendedBeside: ["truncate -s 5M data.bin"],
      mended: """
        services:
          web:
            command: [sleep, infinity]
            volumes: ["./data.bin:/data.bin:ro"]
        """),
    .init(
      .notUTF8, "a file is not UTF-8 text",
      """
      Files are read as UTF-8. Other encodings, such as Latin-1 and UTF-16, must be converted first:
      `iconv -f LATIN1 -t UTF-8 old.env >web.env`.
      """,
      wrongBeside: ["printf 'TOWN=Z\\374rich' >web.env"],
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            env_file: web.env
        """,
      mendedBeside: ["echo TOWN=Zürich >web.env"],
      mended: """
        services:
          web:
            command: [sleep, infinity]
            env_file: web.env
        """),
    .init(
      .controlCharacter, "a file holds a character that YAML does not allow",
      """
      YAML allows no control characters except tab and line feed. An editor or a terminal has put one into
      the file. In double quotes an escape stands for it: `"\\e[0m"`.
      """,
      wrong: "services:\n  web:\n    command: [echo, \"bell \u{7}\"]",
      mended: """
        services:
          web:
            command: [echo, "bell \\a"]
        """),
    .init(
      .syntax, "the YAML is not well-formed",
      """
      The YAML parser stopped here. Common causes are a bracket or quote that is not closed, a tab in the
      indentation, and text with `: ` in it that has no quotes.
      """,
      wrong: """
        services:
          web: {command: [sleep, infinity]
        """,
      mended: """
        services:
          web: {command: [sleep, infinity]}
        """),
    .init(
      .duplicateKey, "a key occurs twice in one mapping",
      """
      YAML parsers disagree about which of two equal keys counts. So `stack` refuses both. Remove one.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            command: [sleep, "60"]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
        """),
    .init(
      .badAlias, "an alias refers to no anchor, or to a value that contains it",
      """
      An alias (`*base`) repeats the value that an anchor (`&base`) marks. The anchor must stand above the
      alias, and its value must not contain the alias.
      """,
      wrong: """
        x-base: &base {command: [sleep, infinity]}
        services:
          web: *bace
        """,
      mended: """
        x-base: &base {command: [sleep, infinity]}
        services:
          web: *base
        """),
    .init(
      .tooManyNodes, "the document is too large once its aliases and variables are expanded",
      """
      Aliases and variables are expanded before the file is read. The result may have 250,000 nodes at most.
      Aliases of aliases grow by powers: in this example to a million nodes.
      """,
      wrong: """
        x-a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]
        x-b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
        x-c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
        x-d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
        x-e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
        x-f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]
        services:
          web: {command: [sleep, infinity]}
        """,
      mended: """
        x-a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]
        x-b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
        services:
          web: {command: [sleep, infinity]}
        """),
    .init(
      .nestedTooDeep, "the document is nested too deeply",
      """
      Lists and mappings may be nested 100 levels deep. No stack needs more, and a deeper document is
      usually generated by mistake.
      """,
      wrong: """
        x-deep:
          \(String(repeating: "[", count: 101))
          \(String(repeating: "]", count: 101))
        services:
          web: {command: [sleep, infinity]}
        """,
      mended: """
        x-deep: [[[]]]
        services:
          web: {command: [sleep, infinity]}
        """),
    .init(
      .badMergeKey, "a merge key holds something other than mappings",
      """
      The key `<<` adds the entries of other mappings to this one. Its value is a mapping or a list of
      mappings, usually aliases.
      """,
      wrong: """
        x-base: &base nginx
        services:
          web:
            <<: *base
            command: [sleep, infinity]
        """,
      mended: """
        x-base: &base {working_dir: /srv}
        services:
          web:
            <<: *base
            command: [sleep, infinity]
        """),
    .init(
      .badKey, "a key is not text",
      """
      YAML lets a list or a mapping be a key. A stack file has no use for that. Write each name by itself.
      """,
      wrong: """
        services:
          ? [web, api]
          : command: [sleep, infinity]
          db: {command: [sleep, infinity]}
        """,
      mended: """
        services:
          web: {command: [sleep, infinity]}
          api: {command: [sleep, infinity]}
          db: {command: [sleep, infinity]}
        """),
    .init(
      .emptyFile, "a file holds nothing",
      """
      The file has no YAML in it, only spaces or comments. A stack has at least the key `services`.
      """,
      wrong: """
        # nothing yet
        """,
      mended: """
        services:
          web: {command: [sleep, infinity]}
        """),
    .init(
      .unknownTag, "a YAML tag has no meaning here",
      """
      A tag (`!name`) says how to read a value. `stack` knows YAML's own tags, and `!reset` and
      `!override`, which Compose has for merging files.
      """,
      wrong: """
        services:
          web:
            command: !shell [sleep, infinity]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
        """),
    .init(
      .circularFiles, "files include each other in a circle, or services extend each other in one",
      """
      `include:` brings in whole files, and `extends:` begins a service from another one. Neither may lead back
      to where it began. Leave out one of the references.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            extends: web
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
          api:
            extends: web
        """),
    .init(
      .conflictingInclude, "an included file has something of the same name that is not the same",
      """
      All included files share one set of names. A service, network, volume, secret or config that two of them
      have must be the same in both. To change what an included file has, merge another file over it.
      """,
      wrongBeside: ["echo 'services: {web: {command: [sleep, infinity]}}' >web.yaml"],
      wrong: """
        include: [web.yaml]
        services:
          web:
            command: [sleep, "60"]
        """,
      mendedBeside: [
        "echo 'services: {web: {command: [sleep, infinity]}}' >web.yaml",
        "echo 'services: {web: {command: [sleep, \"60\"]}}' >changes.yaml",
      ],
      mended: """
        include:
          - path: [web.yaml, changes.yaml]
        """),
    .init(
      .badInterpolation, "a ${ is followed by something that is not a variable",
      """
      `$NAME` and `${NAME}` stand for variables. A dollar sign before a letter or a brace is written `$$`. Without a
      default, `${NAME}` ends at its closing brace.
      """,
      wrong: """
        services:
          web:
            command: [sh, -c, "echo ${5}"]
        """,
      mended: """
        services:
          web:
            command: [sh, -c, "echo $${5}"]
        """),
    .init(
      .missingVariable, "a required variable has no value",
      """
      `${NAME:?text}` requires a variable that is set and not empty. Set it in the environment of `stack`,
      or in a file `.env` beside the stack file.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            hostname: "${LAB_HOST:?give the lab a host name}"
        """,
      mendedBeside: ["echo LAB_HOST=web-lab >.env"],
      mended: """
        services:
          web:
            command: [sleep, infinity]
            hostname: "${LAB_HOST:?give the lab a host name}"
        """),
    .init(
      .unsetVariable, "a variable is not set; it counts as empty",
      """
      The variable stands neither in the environment nor in `.env`. Check its spelling, or give a default:
      `${NAME:-default}`. A default may be empty: `${NAME-}`.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            environment: {GREETING: "hello $LAB_USER"}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            environment: {GREETING: "hello ${LAB_USER:-stranger}"}
        """),
    .init(
      .badEnvironmentFile, "a line of an environment file cannot be understood",
      """
      A line of `.env` or of an `env_file` is `NAME=value`, a comment that begins with `#`, or empty.
      Values may be quoted.
      """,
      wrongBeside: ["echo 'LEVEL info' >web.env"],
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            env_file: web.env
        """,
      mendedBeside: ["echo LEVEL=info >web.env"],
      mended: """
        services:
          web:
            command: [sleep, infinity]
            env_file: web.env
        """),
  ]
}
