import Vocabulary

/// The keys of a service.
enum ServiceKeys {
  static let table = KeyTable<ServiceDraft>(
    "service",
    (process + security + LimitsKeys.keys + SettingsKeys.keys + network + storage + lifetime + accepted
      + Unsupported.keys).map { meaningfulWhenEmpty.contains($0.name) ? $0 : $0.optional })

  /// Keys whose empty value says something: an image's own command does not run, say.
  private static let meaningfulWhenEmpty: Set<String> = ["image", "rootfs", "build", "command", "entrypoint"]

  private typealias Key = KeyTable<ServiceDraft>.Key

  private static let process: [Key] = [
    .read("rootfs", "what the service sees as /: `host`, or a folder") { field, draft in
      draft.rootfs = field.rootFolder()
    },
    .read("image", "the image it runs from: nginx:alpine, oci:./folder, docker-archive:./file.tar") { field, draft in
      draft.image = field.later { _ = $0.text() }
    },
    .read("build", "the folder that its image is built from, or how") { field, draft in
      draft.build = field.later { _ = $0.imageBuild() }
    },
    .read("extends", "the service that it begins from, of this file or of another") { field, _ in
      field.noteExtension()
    },
    .read("entrypoint", "the program, before `command`") { field, draft in
      draft.hasCommandKey = draft.hasCommandKey || !field.node.isNull
      draft.service.entrypoint = field.command()
    },
    .read("command", "the program and its arguments") { field, draft in
      draft.hasCommandKey = draft.hasCommandKey || !field.node.isNull
      draft.service.command = field.command()
    },
    .read("environment", "variables, as a mapping or as NAME=value") { field, draft in
      draft.environment = field.later { _ = $0.assignments() }
    },
    .read("env_file", "files with variables") { field, draft in draft.environmentFiles = field.environmentFiles() },
    .read("working_dir", "the folder it starts in; /") { field, draft in
      draft.service.workingDirectory = field.nonEmptyText().flatMap { field.servicePath($0, what: "\"working_dir\"") }
    },
    .read("user", "user[:group], names or numbers; root") { field, draft in draft.service.user = field.user() },
    .read("hostname", "the host name; the service's name") { field, draft in
      draft.service.hostname = field.hostname()
    },
    .read("domainname", "the domain name") { field, draft in draft.service.domainname = field.hostname() },
    .read("init", "false: the program itself is process 1; for an image that is the default") { field, draft in
      draft.hasInit = field.boolean()
    },
    .read("tty", "true: a terminal") { field, draft in draft.service.hasTerminal = field.boolean() ?? false },
    .read("stdin_open", "true: standard input stays open") { field, draft in
      draft.service.keepsStandardInputOpen = field.boolean() ?? false
    },
  ]

  private static let security: [Key] = [
    .read("cap_add", "capabilities that it has beside the usual: NET_ADMIN, ALL") { field, draft in
      draft.service.addedCapabilities = field.capabilities()
    },
    .read("cap_drop", "capabilities that it does without: NET_RAW, ALL") { field, draft in
      draft.service.droppedCapabilities = field.capabilities()
    },
    .read("privileged", "true: it may do all that the host's root may") { field, draft in
      draft.service.isPrivileged = field.boolean() ?? false
    },
    .read("userns_mode", "private: root inside is nobody outside; host: it is the host's root") { field, draft in
      draft.service.userNamespace = field.choice(StackFile.UserNamespaceMode.self)
    },
    .read("security_opt", "no-new-privileges:false, seccomp:unconfined") { field, draft in
      field.readSecurityOptions(into: &draft)
    },
  ]

  private static let network: [Key] = [
    .read("networks", "the networks it joins; `default`") { field, draft in
      draft.service.attachments = field.attachments()
    },
    .read("dns", "whom to ask for names outside; the host's resolvers") { field, draft in
      draft.service.nameResolution.servers = field.nameServers()
    },
    .read("dns_search", "domains to try behind a short name; the host's") { field, draft in
      draft.service.nameResolution.search = field.searchDomains()
    },
    .read("dns_opt", "options of resolv.conf(5); the host's") { field, draft in
      draft.service.nameResolution.options = field.resolverOptions()
    },
    .read("ports", "ports reachable through the host: \"8080:80\"") { field, draft in
      draft.service.ports = field.items()?.compactMap { $0.publishedPort() } ?? []
    },
    .read("network_mode", "none, host, or another service's: service:web") { field, draft in
      draft.service.networkMode = field.networkMode()
    },
    .read("routes", "where packets go: \"10.2.0.0/24 via 10.1.0.2\"") { field, draft in
      draft.service.routes = field.routes()
    },
    .read("forward", "true: it routes packets of others") { field, draft in
      draft.service.forwarding = field.boolean().map { Located($0, field.span) }
    },
    .read("loopback", "addresses of its loopback, as routers have them: 10.255.0.1/32") { field, draft in
      draft.service.loopback = field.loopbackAddresses()
    },
    .read("switch", "true: it joins its cables by a bridge; {stp: true, interface_name: br0}") { field, draft in
      draft.service.switching = field.switching()
    },
    .read("mac_address", "the hardware address of its first interface") { field, draft in
      draft.mac = field.macAddress()
    },
    .read("extra_hosts", "further lines of /etc/hosts: \"files=10.0.0.5\"") { field, draft in
      draft.service.extraHosts = field.extraHosts()
    },
    .read("links", "services that it knows by further names: [db, cache:redis]") { field, draft in
      draft.service.namedLinks += field.namedLinks()
    },
    .read("external_links", "containers of other stacks that it knows by further names") { field, draft in
      draft.service.namedLinks += field.externalLinks()
    },
    .read("expose", "ports that it listens on, for people and for readiness") { field, draft in
      draft.service.exposed = field.items()?.compactMap { $0.exposedPort() } ?? []
    },
  ]

  private static let storage: [Key] = [
    .read("volumes", "folders and volumes: \"./pages:/www:ro\"") { field, draft in
      draft.volumes = field.items()?.compactMap { $0.mount() } ?? []
    },
    .read("tmpfs", "folders in memory: \"/run:size=64m\"") { field, draft in
      let isText = field.node.scalar != nil && !field.node.isNull
      draft.tmpfs = (isText ? [field] : field.items() ?? []).compactMap { $0.tmpfs() }
    },
    .read("secrets", "secrets that it gets as files below /run/secrets") { field, draft in
      draft.service.files += field.fileUses(.secret)
    },
    .read("configs", "configs that it gets as files") { field, draft in
      draft.service.files += field.fileUses(.config)
    },
    .read("volumes_from", "services whose volumes it has too: [data, other:ro]") { field, draft in
      draft.service.volumesFrom = field.volumesFrom()
    },
    .read("read_only", "true: nothing but mounts can be written to") { field, draft in
      draft.service.isReadOnly = field.boolean() ?? false
    },
  ]

  private static let lifetime: [Key] = [
    .read("depends_on", "the services to wait for") { field, draft in
      draft.service.dependencies = field.dependencies()
    },
    .read("healthcheck", "how to tell that it works") { field, draft in
      if !field.node.isNull { draft.healthCheck = field.later { _ = $0.healthOverrides() } }
    },
    .read("restart", "no, always, on-failure[:N] or unless-stopped") { field, draft in
      draft.service.restart = field.restartPolicy() ?? .no
    },
    .read("stop_signal", "what asks it to end; SIGTERM") { field, draft in draft.service.stopSignal = field.signal() },
    .read("stop_grace_period", "how long it may take to end; 10s") { field, draft in
      draft.service.stopGracePeriod = field.duration() ?? .seconds(10)
    },
    .read("post_start", "commands that run in it once it has been started") { field, draft in
      draft.service.postStart = field.hooks()
    },
    .read("pre_stop", "commands that run in it before it is stopped") { field, draft in
      draft.service.preStop = field.hooks()
    },
    .read("scale", "how many replicas; 1") { field, draft in draft.scale = field.integer(in: 0...10_000) },
    .read("deploy", "replicas and limits, as Compose also writes them") { field, draft in
      deploy.read(field, into: &draft)
    },
    .read("profiles", "it runs only when one of these is asked for") { field, draft in
      draft.service.profiles = field.texts().filter { field.checkName($0, .object, of: "profile") }
    },
    .read("container_name", "a name to find it by; one replica only") { field, draft in
      guard let name = field.nonEmptyText(), field.checkName(name, .object, of: "container") else { return }
      draft.service.containerName = name
    },
    .read("labels", "for people and programs to find it by") { field, draft in draft.labels = field.labels() },
    .read("label_file", "files with labels, as lines of NAME=value") { field, draft in
      draft.fileLabels = field.labelFiles()
    },
  ]

  private static let accepted: [Key] = [
    .read("platform", "the machine that the image is for; this machine's own") { field, draft in
      draft.platform = field.later { _ = $0.text() }
    },
    .ignored("logging", "logs are files that stack rotates itself"),
    .read("pull_policy", "when its image is fetched or built: missing, always, never, build, daily, weekly, every_12h")
    { field, draft in
      draft.pullPolicy = field.later { _ = $0.text() }
    },
    .ignored("attach", "what is followed is chosen on the command line"),
    .ignored("annotations", "there is no other runtime to read them"),
    .read("develop", "what `stack watch` does when files of the host change") { field, draft in
      draft.service.watchRules = field.watchRules()
    },
  ]

  private enum Mode: String, CaseIterable {
    case replicated, global
    case replicatedJob = "replicated-job"
    case globalJob = "global-job"
  }

  static let deploy = KeyTable<ServiceDraft>(
    "deploy",
    [
      .read("replicas", "how many") { field, draft in draft.replicas = field.integer(in: 0...10_000) },
      .read("mode", "replicated; global is one replica, as there is one machine") { field, _ in
        _ = field.choice(Mode.self)
      },
      .ignored("labels", "they are for Swarm's services"),
      .read("resources", "limits, as Compose also writes them") { field, draft in
        LimitsKeys.resources.read(field, into: &draft.limits.resources)
      },
      .read("restart_policy", "when it is restarted; wins over `restart:`") { field, draft in
        var policy = DeployedRestart()
        DeployedRestart.keys.read(field, into: &policy)
        draft.deployedRestart = policy.value
      },
      .ignored("placement", "there is one machine"),
      .ignored("update_config", "a changed service is made anew"),
      .ignored("rollback_config", "a changed service is made anew"),
      .ignored("endpoint_mode", "names lead to the replicas themselves"),
    ])
}
