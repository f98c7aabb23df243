extension DiagnosticExplanation {
  /// E0710 to E0717: stages and steps of Dockerfiles, and .dockerignore.
  static let dockerfileStages: [DiagnosticExplanation] = [
    .init(
      .badStageName, "a stage's name has a character that is not allowed",
      """
      A stage's name begins with a letter. Letters, digits, `-`, `_` and `.` may follow.
      """,
      wrongDockerfile: """
        FROM debian:12 AS 1st
        """,
      mendedDockerfile: """
        FROM debian:12 AS first
        """),
    .init(
      .unknownStage, "a stage that is named does not exist",
      """
      Stages have a name, by AS, and a number, from 0. A name that no stage has is taken for an image.
      """,
      wrongDockerfile: """
        FROM golang:1.24
        RUN go build -o /app

        FROM debian:12
        COPY --from=2 /app /app
        """,
      mendedDockerfile: """
        FROM golang:1.24
        RUN go build -o /app

        FROM debian:12
        COPY --from=0 /app /app
        """),
    .init(
      .stageCycle, "a stage needs itself, or one that stands further down",
      """
      A stage may take files from those above it, and begin with one of them.
      """,
      wrongDockerfile: """
        FROM golang:1.24 AS build
        RUN go build -o /app
        COPY --from=build /app /usr/bin/app
        """,
      mendedDockerfile: """
        FROM golang:1.24 AS build
        RUN go build -o /app

        FROM debian:12
        COPY --from=build /app /app
        """),
    .init(
      .notBuilt, "a Dockerfile uses something that stack does not build",
      """
      docs/build.md lists what is not there, and why. The message says what to write instead.
      """,
      wrongDockerfile: """
        FROM debian:12
        RUN --security=insecure mount -t tmpfs none /mnt
        """,
      mendedDockerfile: """
        FROM debian:12
        RUN --mount=type=tmpfs,target=/mnt true
        """),
    .init(
      .badTrigger, "ONBUILD holds an instruction that cannot stand there",
      """
      ONBUILD keeps an instruction for images that are built FROM this one. FROM, ONBUILD and MAINTAINER cannot
      be kept.
      """,
      wrongDockerfile: """
        FROM debian:12
        ONBUILD ONBUILD COPY . /app
        """,
      mendedDockerfile: """
        FROM debian:12
        ONBUILD COPY . /app
        """),
    .init(
      .outsideStage, "an instruction stands before the first FROM",
      """
      Only ARG may stand there. Its values serve the FROM lines.
      """,
      wrongDockerfile: """
        ENV PORT=80
        FROM debian:12
        """,
      mendedDockerfile: """
        FROM debian:12
        ENV PORT=80
        """),
    .init(
      .badIgnorePattern, "a line of .dockerignore is no pattern",
      """
      `*` and `?` stop at `/`, `**` stands for any number of folders, `[a-z]` for one character. `!` takes back in
      what a line above leaves out.
      """,
      name: ".dockerignore",
      wrongDockerfile: """
        *.log
        cache[
        """,
      mendedDockerfile: """
        *.log
        cache\\[
        """),
    .init(
      .failedStep, "a step of a Dockerfile cannot be carried out",
      """
      The message says what is missing. Paths of COPY and ADD start at the context's folder, wherever the Dockerfile
      is, and a line of .dockerignore may leave them out.
      """,
      using: "mkdir -p src && touch src/app.py",
      wrongDockerfile: """
        FROM debian:12
        COPY src/ap.py /srv/
        """,
      mendedDockerfile: """
        FROM debian:12
        COPY src/app.py /srv/
        """),
  ]

  /// W0720 to W0724.
  static let dockerfileWarnings: [DiagnosticExplanation] = [
    .init(
      .emptyContinuation, "an instruction of a Dockerfile goes on after an empty line",
      """
      The line before ends with a backslash, so the empty line is skipped. Docker means to refuse that one day.
      """,
      wrongDockerfile: """
        FROM debian:12
        RUN apt-get update \\

            && apt-get install -y curl
        """,
      mendedDockerfile: """
        FROM debian:12
        RUN apt-get update \\
            && apt-get install -y curl
        """),
    .init(
      .looksLikeJSON, "a command that looks like a JSON list is none",
      """
      JSON needs double quotes and commas. Anything else is text for the shell, which is rarely meant.
      """,
      wrongDockerfile: """
        FROM debian:12
        CMD ['sleep', '60']
        """,
      mendedDockerfile: """
        FROM debian:12
        CMD ["sleep", "60"]
        """),
    .init(
      .undeclaredArgument, "a build argument is given that no ARG names",
      """
      It has no effect. A stage sees a build argument after an ARG of that name.
      """,
      using: "stack build --build-arg VERSION=2",
      wrongDockerfile: """
        FROM debian:12
        ARG VERSIO
        """,
      mendedDockerfile: """
        FROM debian:12
        ARG VERSION
        """),
    .init(
      .unsetExpansion, "a variable in a Dockerfile has no value",
      """
      It counts as empty. The ARGs above the first FROM serve the FROM lines. A stage sees them after an ARG of
      the same name.
      """,
      wrongDockerfile: """
        ARG VERSION=1
        FROM debian:12
        ENV APP_VERSION=$VERSION
        """,
      mendedDockerfile: """
        ARG VERSION=1
        FROM debian:12
        ARG VERSION
        ENV APP_VERSION=$VERSION
        """),
    .init(
      .repeatedStageName, "two stages of a Dockerfile have one name",
      """
      Lines below the second mean the second.
      """,
      wrongDockerfile: """
        FROM debian:12 AS base
        FROM debian:13 AS base
        """,
      mendedDockerfile: """
        FROM debian:12 AS base
        FROM debian:13 AS next
        """),
  ]
}
