@testable import StackFiles

extension DiagnosticCase {
  /// Diagnostics about variables.
  static let variables: [DiagnosticCase] = [
    DiagnosticCase(
      .badInterpolation,
      """
      services:
        web:
          command: nginx
          hostname: web-${1}
      """,
      shows: """
        web.stack:4:19: error[E0020]: the ${ is not followed by a variable's name
          4 │     hostname: web-${1}
            │                   ^^
            = help: write $$ for a dollar sign
        """),
    DiagnosticCase(
      .badInterpolation,
      """
      services:
        web:
          command: nginx
          hostname: "${NAME!}"
      """,
      shows: """
        web.stack:4:22: error[E0020]: a variable's name is followed by something unknown
          4 │     hostname: "${NAME!}"
            │                      ^
            = help: after the name comes } or one of :- - :? ? :+ +
        """),
    DiagnosticCase(
      .badInterpolation,
      """
      services:
        web:
          command: nginx
          hostname: ${NAME:-x
      """,
      shows: """
        web.stack:4:15: error[E0020]: the ${ has no closing brace
          4 │     hostname: ${NAME:-x
            │               ^^
            = help: write $$ for a dollar sign
        """),
    DiagnosticCase(
      .missingVariable,
      """
      services:
        web:
          command: nginx
          hostname: "${NAME:?give the lab a name}"
      """,
      environment: ["NAMES": "x"],
      shows: """
        web.stack:4:16: error[E0021]: required variable NAME is missing a value: give the lab a name
          4 │     hostname: "${NAME:?give the lab a name}"
            │                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ did you mean "NAMES"?
            = help: set it in the environment or in .env
        """),
    DiagnosticCase(
      .unsetVariable,
      """
      services:
        web:
          command: nginx
          environment:
            GREETING: hello $USR
      """,
      environment: ["USER": "ada"],
      shows: """
        web.stack:5:23: warning[W0022]: the variable USR is not set and counts as empty
          5 │       GREETING: hello $USR
            │                       ^^^^ did you mean "USER"?
            = help: set it, or say what it is without: ${USR:-value}
        """),
    DiagnosticCase(
      .badEnvironmentFile,
      """
      services:
        web:
          command: nginx
          env_file: web.env
      """,
      others: ["/lab/web.env": "A=1\n=2\nB \"x\"\nC='open\nD=1\n"],
      shows: """
        web.env:2:1: error[E0023]: a line has no name before the =
          2 │ =2
            │ ^
            = help: a line is NAME=value, or # and a comment

        web.env:3:3: error[E0023]: a name is followed by something other than =
          3 │ B "x"
            │   ^
            = help: a line is NAME=value, or # and a comment

        web.env:4:3: error[E0023]: a quote is not closed
          4 │ C='open
            │   ^
            = help: a line is NAME=value, or # and a comment
        """),
  ]
}
