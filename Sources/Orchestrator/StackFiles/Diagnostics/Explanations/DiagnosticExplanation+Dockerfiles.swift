extension DiagnosticExplanation {
  /// E0700 to E0709: instructions of Dockerfiles.
  static let dockerfiles: [DiagnosticExplanation] = [
    .init(
      .foreignFrontend, "a Dockerfile is to be read by a program that stack does not run",
      """
      `# syntax=` names an image that BuildKit runs to read the file. stack runs no such program. It reads what
      docker/dockerfile reads. If the file is a usual Dockerfile, remove the line.
      """,
      wrongDockerfile: """
        # syntax=example.org/my/frontend:1
        FROM debian:12
        """,
      mendedDockerfile: """
        # syntax=docker/dockerfile:1
        FROM debian:12
        """),
    .init(
      .badDirective, "a directive at the top of a Dockerfile has a wrong value, or stands twice",
      """
      `# escape=` takes a backslash or a backtick. Each directive may stand once, before all other lines.
      """,
      wrongDockerfile: """
        # escape=^
        FROM debian:12
        """,
      mendedDockerfile: """
        # escape=`
        FROM debian:12
        """),
    .init(
      .emptyDockerfile, "a Dockerfile has no FROM",
      """
      Each image is built upon another one, or upon `scratch`, which is empty.
      """,
      wrongDockerfile: """
        # nothing yet
        """,
      mendedDockerfile: """
        FROM debian:12
        """),
    .init(
      .unknownInstruction, "an instruction of a Dockerfile has no meaning",
      """
      A line begins with the name of an instruction. A command that goes on over several lines needs a
      backslash at the end of each but the last.
      """,
      wrongDockerfile: """
        FROM debian:12
        RUM apt-get update
        """,
      mendedDockerfile: """
        FROM debian:12
        RUN apt-get update
        """),
    .init(
      .badInstruction, "the arguments of an instruction are missing, or have the wrong shape",
      """
      The message names what is missing, and shows an example.
      """,
      wrongDockerfile: """
        FROM debian:12
        COPY app.py
        """,
      mendedDockerfile: """
        FROM debian:12
        COPY app.py /app/
        """),
    .init(
      .badJSONForm, "a list in the JSON form holds something that is no text",
      """
      All words of a command are texts: put each between double quotes.
      """,
      wrongDockerfile: """
        FROM debian:12
        CMD ["sleep", 60]
        """,
      mendedDockerfile: """
        FROM debian:12
        CMD ["sleep", "60"]
        """),
    .init(
      .openHeredoc, "a heredoc does not end",
      """
      A heredoc ends with a line that is its name and nothing else. `<<-` allows tabs before it. A `<<` that
      begins no heredoc must stand in quotes.
      """,
      wrongDockerfile: """
        FROM debian:12
        RUN <<EOF
        apt-get update
          EOF
        """,
      mendedDockerfile: """
        FROM debian:12
        RUN <<EOF
        apt-get update
        EOF
        """),
    .init(
      .unknownFlag, "an instruction has no flag of that name, or it is given twice",
      """
      Flags stand between an instruction and its arguments. The message lists those that it knows.
      """,
      wrongDockerfile: """
        FROM debian:12
        COPY --owner=app app.py /app/
        """,
      mendedDockerfile: """
        FROM debian:12
        COPY --chown=app app.py /app/
        """),
    .init(
      .badFlagValue, "a flag, a mount or a port of a Dockerfile has a value that cannot be used",
      """
      The message says what can stand there.
      """,
      wrongDockerfile: """
        FROM debian:12
        RUN --mount=type=cash,target=/root/.cache apt-get update
        """,
      mendedDockerfile: """
        FROM debian:12
        RUN --mount=type=cache,target=/root/.cache apt-get update
        """),
    .init(
      .badExpansion, "a variable, a quote or a heredoc's name in a Dockerfile cannot be expanded",
      """
      `$name` and `${name}` stand for a value. The operators are `:-`, `-`, `:+`, `+`, `:?`, `?`, `#`, `##`, `%`,
      `%%`, `/` and `//`. For the character itself write `\\$`.
      """,
      wrongDockerfile: """
        ARG VERSION=12
        FROM debian:${VERSION
        """,
      mendedDockerfile: """
        ARG VERSION=12
        FROM debian:${VERSION}
        """),
  ]
}
