import Vocabulary

/// A stack while its keys are read.
struct StackDraft {
  var name: Located<String>?
  var networks = NamedList<StackFile.Network>()
  var volumes = NamedList<StackFile.Volume>()
  var secrets = NamedList<StackFile.FileSource>()
  var configs = NamedList<StackFile.FileSource>()
  var services = NamedList<StackFile.Service>()
  var links: [StackFile.Link] = []
  var servicesKey: Span?
  /// Services that are in the file, also those that could not be read: references to them are not undefined.
  var serviceNames: Set<String> = []
  var policies: [StackFile.Rule] = []
  var expectations: [StackFile.Rule] = []
  var verification: StackFile.Verification?
  var names = StackFile.NameScope.network
}

/// The keys at the top of a stack file.
enum StackKeys {
  static let table = KeyTable<StackDraft>(
    "stack",
    [
      .read("name", "the stack's name; the file's") { field, draft in
        guard let text = field.nonEmptyText() else { return }
        guard let name = StackNaming.adapted(text.value) else {
          field.checkName(text, .stack, of: "stack")
          return
        }
        draft.name = text.map { _ in name }
      }.optional,
      .read("services", "what runs") { field, draft in
        draft.servicesKey = field.key
        for entry in field.entries() ?? [] {
          draft.serviceNames.insert(entry.key.value)
          if let service = field.entry(entry).service(named: entry.key) { draft.services.append(service) }
        }
      },
      .read("networks", "the networks between services") { field, draft in
        for entry in field.entries() ?? [] {
          field.checkName(entry.key, .object, of: "network")
          var network = StackFile.Network(name: entry.key)
          NetworkKeys.table.read(field.entry(entry), into: &network)
          field.checkGivenName(of: network)
          draft.networks.append(network)
        }
      },
      .read("volumes", "folders that outlive services") { field, draft in
        for entry in field.entries() ?? [] {
          field.checkName(entry.key, .object, of: "volume")
          var volume = StackFile.Volume(name: entry.key)
          VolumeKeys.table.read(field.entry(entry), into: &volume)
          draft.volumes.append(volume)
        }
      },
      .read("policies", "who may talk to whom; the first rule that is about a packet decides") { field, draft in
        draft.policies = field.rules()
      },
      .read("expect", "what `stack verify` must find true, in rules like those of policies") { field, draft in
        draft.expectations = field.rules()
      },
      .read("names", "network: services find those of their networks by name; stack: all of the stack") {
        field, draft in
        draft.names = field.choice(StackFile.NameScope.self)?.value ?? .network
      },
      .read("verify", "how `stack verify` looks where daemons route") { field, draft in
        var verification = StackFile.Verification()
        verificationKeys.read(field, into: &verification)
        draft.verification = verification
      },
      .read("links", "cables between two services") { field, draft in
        draft.links = (field.items() ?? []).compactMap { $0.link() }
      },
      .ignored("version", "Compose has given it up too"),
      .read("include", "further files whose services, networks and volumes are of this stack too") { field, _ in
        // The loader has put them in its place already.
        field.noteInclusions()
      },
      .read("secrets", "contents that services get as files below /run/secrets") { field, draft in
        draft.secrets = field.fileSources(.secret)
      },
      .read("configs", "contents that services get as files") { field, draft in
        draft.configs = field.fileSources(.config)
      },
      .notSupported(
        "models", "run a model server as a service, and give its address to the others under `environment:`"),
    ])
  private static let verificationKeys = KeyTable<StackFile.Verification>(
    "verify",
    [
      .read("live", "true: predict from the routes and addresses that are there, not from the file's") { field, draft in
        draft.isLive = field.boolean() ?? false
      },
      .read("settle", "how long `up --verify` waits until two looks agree: 60s") { field, draft in
        draft.settle = field.duration(atLeast: .milliseconds(1))
      },
    ])
}
