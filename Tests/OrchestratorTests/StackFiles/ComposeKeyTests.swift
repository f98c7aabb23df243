import Testing
@testable import StackFiles

@Suite struct ComposeKeyTests {
  private func mounts(_ text: String, environment: [String: String] = [:]) -> [StackFile.Mount] {
    let outcome = load(text, environment: environment)
    #expect(!outcome.diagnostics.contains { $0.code.severity == .error }, "\(outcome.diagnostics)")
    return outcome.stack.map { $0.withAllMounts(Array($0.services)).flatMap(\.mounts) } ?? []
  }

  // MARK: secrets and configs

  @Test func secretsAreFilesBelowRunSecrets() {
    let found = mounts(
      """
      services:
        web:
          command: x
          secrets: [key, {source: word, target: pass/word, uid: "7", gid: "8", mode: 0400}, {source: key, target: /k}]
      secrets:
        key: {file: ./key.pem}
        word: {environment: WORD}
      """, environment: ["WORD": "a$b"])
    #expect(found.map(\.target.value) == ["/run/secrets/key", "/run/secrets/pass/word", "/k"])
    #expect(found.map(\.isReadOnly) == [true, true, true])
    #expect(found[0].source == .bind(path: "/lab/key.pem", creates: false))
    #expect(found[1].source == .contents(.init(text: "a$b", mode: 0o400, user: 7, group: 8)))
  }

  @Test func configsAreFilesBelowTheRoot() {
    let found = mounts(
      "services: {web: {command: x, configs: [motd, {source: motd, target: etc/motd}]}}\n"
        + "configs: {motd: {content: \"hello ${WHO:-you}\"}}")
    #expect(found.map(\.target.value) == ["/motd", "/etc/motd"])
    #expect(found[0].source == .contents(.init(text: "hello you", mode: 0o444, user: 0, group: 0)))
  }

  @Test func aVolumeAtTheSamePlaceWins() {
    let found = mounts(
      "services: {web: {command: x, volumes: [\"./own:/motd\"], configs: [motd]}}\nconfigs: {motd: {content: x}}")
    #expect(found.map(\.source) == [.bind(path: "/lab/own", creates: true)])
  }

  @Test(arguments: [
    ("secrets: {s: {external: true}}", DiagnosticCode.notSupported), ("secrets: {s: {driver: x}}", .notSupported),
    ("configs: {s: {template_driver: x}}", .notSupported), ("secrets: {s: {environment: NONE}}", .missingVariable),
    ("secrets: {s: {}}", .missingKey), ("configs: {s: {content: a, file: ./b}}", .conflictingKeys),
  ])
  func someContentsCannotBeHad(_ text: String, _ code: DiagnosticCode) {
    #expect(load("services: {web: {command: x}}\n" + text).diagnostics.map(\.code) == [code])
  }

  @Test func ownersOfAFileAreItsOwn() {
    let outcome = load(
      "services: {web: {command: x, secrets: [{source: s, uid: \"5\"}]}}\nsecrets: {s: {file: ./s}}")
    #expect(outcome.diagnostics.map(\.code) == [.ignoredKey])
  }

  // MARK: links and volumes_from

  @Test func linksAreDependenciesToo() throws {
    let service = try #require(
      services("services: {web: {command: x, links: [db, \"db:d\"], external_links: [\"o:p\"]}, db: {command: y}}")
        .first)
    #expect(service.namedLinks.map(\.alias?.value) == [nil, "d", "p"])
    #expect(service.dependencies.map(\.service.value) == ["db"])
    #expect(service.dependencies.first?.restartsWithIt == true)
    #expect(service.dependencies.first?.condition == .started)
  }

  @Test func theTwoKindsOfLinksAreToldApart() {
    #expect(load("services: {web: {command: x, links: [{ends: {a: 1}}]}}").diagnostics.map(\.code) == [.wrongShape])
    #expect(load("services: {web: {command: x}}\nlinks: [web]").diagnostics.map(\.code) == [.wrongShape])
  }

  @Test func volumesOfOthersComeAtTheirPlaces() {
    let stack = load(
      """
      services:
        web: {command: x, volumes_from: ["data:ro", more], volumes: ["./own:/b"]}
        data: {command: y, container_name: store, volumes: ["./a:/a", "./b:/b", /c], tmpfs: /d}
        more: {command: z, volumes_from: ["container:store"]}
      """
    ).stack
    let web = stack?.withAllMounts(stack.map { Array($0.services) } ?? []).first
    #expect(web?.mounts.map(\.target.value) == ["/b", "/a", "/c", "/d"])
    #expect(web?.mounts.map(\.isReadOnly) == [false, true, true, true])
    #expect(web?.mounts[2].source == .anonymousOf("data"))
    #expect(web?.dependencies.map(\.service.value) == ["data", "more"])
    #expect(web?.dependencies.contains(where: \.restartsWithIt) == false)
  }

  // MARK: deploy, labels, watch

  @Test(arguments: [
    ("restart: always, deploy: {restart_policy: {condition: none}}", StackFile.RestartPolicy.no),
    ("deploy: {restart_policy: {condition: any}}", .always), ("deploy: {restart_policy: {}}", .always),
    ("deploy: {restart_policy: {condition: on-failure, max_attempts: 3}}", .onFailure(maximumRetries: 3)),
    ("restart: always, deploy: {replicas: 1}", .always),
  ])
  func theDeployedRestartWins(_ keys: String, _ policy: StackFile.RestartPolicy) {
    #expect(services("services: {web: {command: x, \(keys)}}").first?.restart == policy)
  }

  @Test func labelsOfFilesAreBelowTheOthers() {
    let outcome = load(
      "services: {web: {command: x, label_file: [l.env], labels: {a: own}}}", others: ["/lab/l.env": "a=1\nb='2'\n"])
    #expect(outcome.stack?.services["web"]?.labels.map { "\($0.name.value)=\($0.value)" } == ["b=2", "a=own"])
  }

  @Test func watchesAreRead() {
    let rules = services(
      "services: {web: {command: x, develop: {watch: [{path: ./src, action: sync, target: /app, ignore: [node_modules/]}]}}}"
    ).first?.watchRules
    #expect(rules?.map(\.path.value) == ["/lab/src"])
    #expect(
      rules?.first?.action == .sync && rules?.first?.target == "/app" && rules?.first?.ignored == ["node_modules/"])
    let wrong = load("services: {web: {command: x, develop: {watch: [{path: ./src, action: sync}]}}}")
    #expect(wrong.diagnostics.map(\.code) == [.missingKey])
  }

  // MARK: extends

  @Test func aServiceBeginsFromAnother() {
    let outcome = load(
      """
      services:
        base: {command: x, environment: {A: 1, B: 2}, volumes: ["./a:/a"]}
        web: {extends: base, environment: {B: 3}}
        far: {extends: {file: far/base.yaml, service: top}, user: app}
      """,
      others: [
        "/lab/far/base.yaml":
          "services: {top: {extends: {service: low}, volumes: [\"./here:/h\"]}, low: {command: y, env_file: l.env}}",
        "/lab/far/l.env": "L=1\n",
      ])
    #expect(outcome.diagnostics.isEmpty, "\(DiagnosticRenderer().render(outcome.diagnostics))")
    let (web, far) = (outcome.stack?.services["web"], outcome.stack?.services["far"])
    #expect(web?.arguments == ["x"] && web?.environment.map(\.value) == ["1", "3"])
    #expect(far?.arguments == ["y"] && far?.user?.value.user == "app")
    #expect(far?.environment.map(\.value) == ["1"])
    #expect(far?.mounts.map(\.source) == [.bind(path: "/lab/far/here", creates: true)])
  }

  // MARK: include

  @Test func includedFilesHaveFoldersAndVariablesOfTheirOwn() {
    let outcome = load(
      """
      include:
        - sub/compose.yaml
        - {path: [other.yaml, over.yaml], project_directory: elsewhere, env_file: o.env}
      services: {web: {command: x, depends_on: [api]}}
      """,
      others: [
        "/lab/.env": "TAG=outer\n",
        "/lab/sub/.env": "TAG=inner\nONLY=inner\n",
        "/lab/sub/compose.yaml": """
        name: ignored
        services: {api: {command: "${TAG} ${ONLY}", volumes: ["./d:/d", "v:/v"], environment: [ONLY]}}
        volumes: {v: {}}
        """,
        "/lab/other.yaml": "services: {db: {command: \"$O\", volumes: [\"./x:/x\"]}}", "/lab/o.env": "O=fromfile\n",
        "/lab/over.yaml": "services: {db: {user: app}}",
      ])
    #expect(outcome.diagnostics.isEmpty, "\(DiagnosticRenderer().render(outcome.diagnostics))")
    let stack = outcome.stack
    #expect(stack?.name.value == "web" && stack?.volumes.names == ["v"])
    let api = stack?.services["api"]
    #expect(api?.arguments == ["outer", "inner"] && api?.environment.map(\.value) == ["inner"])
    #expect(api?.mounts.first?.source == .bind(path: "/lab/sub/d", creates: true))
    let db = stack?.services["db"]
    #expect(db?.arguments == ["fromfile"] && db?.user?.value.user == "app")
    #expect(db?.mounts.first?.source == .bind(path: "/lab/elsewhere/x", creates: true))
  }

  @Test func theSameFileMayBeIncludedTwice() {
    let shared = "services: {log: {command: x}}"
    let outcome = load(
      "include: [a.yaml, b.yaml]\nservices: {web: {command: x}}",
      others: ["/lab/a.yaml": "include: [log.yaml]", "/lab/b.yaml": "include: [log.yaml]", "/lab/log.yaml": shared])
    #expect(outcome.diagnostics.isEmpty && outcome.stack?.services.names == ["web", "log"])
  }

  // MARK: volumes

  @Test func volumesByNameAreForAllStacks() {
    let volumes = load(
      """
      services: {web: {command: x}}
      volumes: {own: {}, named: {name: foo}, there: {external: true}, old: {external: {name: bar}}}
      """
    ).stack?.volumes
    #expect(volumes?.map(\.sharedName) == [nil, "foo", "there", "bar"])
    #expect(volumes?.map { $0.external != nil } == [false, false, true, true])
  }
}
