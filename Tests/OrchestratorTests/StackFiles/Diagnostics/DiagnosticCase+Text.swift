@testable import StackFiles

extension DiagnosticCase {
  /// Diagnostics about the file as text.
  static let text: [DiagnosticCase] = [
    DiagnosticCase(
      .unreadableFile,
      """
      services: {web: {command: nginx, env_file: missing.env}}
      """,
      shows: """
        web.stack:1:44: error[E0001]: there is no file "missing.env"
          1 │ services: {web: {command: nginx, env_file: missing.env}}
            │                                            ^^^^^^^^^^^
        """),
    DiagnosticCase(
      .unreadableFile,
      """
      services:
        web:
          command: nginx
      """,
      paths: ["web.stack", "other.stack"],
      shows: """
        other.stack: error[E0001]: there is no file "other.stack"
        """),
    DiagnosticCase(
      .controlCharacter,
      """
      services: {web: {command: "a\u{7}b"}}
      """,
      shows: """
        web.stack:1:29: error[E0005]: the file holds the character U+0007, which YAML does not allow
          1 │ services: {web: {command: "a�b"}}
            │                             ^
        """),
    DiagnosticCase(
      .syntax,
      """
      services:
        web: {command: nginx
      """,
      shows: """
        web.stack:2:23: error[E0006]: this is not YAML: did not find expected ',' or '}'
          2 │   web: {command: nginx
            │                       ^
            │        - while parsing a flow mapping
        """),
    DiagnosticCase(
      .syntax,
      """
      services:
      	web: {}
      """,
      shows: """
        web.stack:2:1: error[E0006]: this is not YAML: found character that cannot start any token
          2 │     web: {}
            │ ^
            = help: tabs cannot indent, and text that begins with @, ` or % needs quotes
        """),
    DiagnosticCase(
      .syntax,
      """
      services: web: nginx
      """,
      shows: """
        web.stack:1:14: error[E0006]: this is not YAML: mapping values are not allowed in this context
          1 │ services: web: nginx
            │              ^
            = help: look at the indentation, and quote text that holds ": "
        """),
    DiagnosticCase(
      .duplicateKey,
      """
      services:
        web:
          command: nginx
          tty: true
          command: sleep 1
      """,
      shows: """
        web.stack:5:5: error[E0007]: the key "command" stands twice in one mapping
          3 │     command: nginx
            │     ------- first here
          5 │     command: sleep 1
            │     ^^^^^^^ again here
        """),
    DiagnosticCase(
      .badAlias,
      """
      x-base: &base {command: nginx}
      services:
        web: *bace
      """,
      shows: """
        web.stack:3:8: error[E0008]: no anchor "bace" stands above this alias
          3 │   web: *bace
            │        ^^^^^ did you mean "base"?
        """),
    DiagnosticCase(
      .badAlias,
      """
      services: &all
        web: *all
      """,
      shows: """
        web.stack:2:8: error[E0008]: the anchor "all" contains itself
          2 │   web: *all
            │        ^^^^
        """),
    DiagnosticCase(
      .badMergeKey,
      """
      x-base: &base nginx
      services:
        web:
          <<: *base
          command: nginx
      """,
      shows: """
        web.stack:1:9: error[E0011]: a merge key takes a mapping or a list of mappings, and this is text
          1 │ x-base: &base nginx
            │         ^^^^^^^^^^^
            = help: name an anchor of a mapping: `<<: *defaults`
        """),
    DiagnosticCase(
      .badKey,
      """
      services:
        ? [web, api]
        : command: nginx
        db: {command: db}
      """,
      shows: """
        web.stack:2:5: error[E0012]: a key must be text, and this is a list
          2 │   ? [web, api]
            │     ^^^^^^^^^^
        """),
    DiagnosticCase(
      .emptyFile,
      """
      # nothing yet
      """,
      shows: """
        web.stack: error[E0014]: the file is empty
          = help: a stack has at least `services:`
        """),
    DiagnosticCase(
      .unknownTag,
      """
      services:
        web:
          command: !rest nginx
      """,
      shows: """
        web.stack:3:14: error[E0015]: the tag "!rest" has no meaning here
          3 │     command: !rest nginx
            │              ^^^^^^^^^^^ did you mean "!reset"?
        """),
    DiagnosticCase(
      .nestedTooDeep,
      """
      x-deep: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
      """,
      shows: """
        web.stack:1:108: error[E0010]: the document is nested deeper than 100 levels
          1 │ …[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]…
            │                                          ^
        """),
  ]
}
