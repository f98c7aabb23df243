import Isolation

extension StackFile {
  /// The image of a service as it is made from a folder: `build:`.
  package struct Build: Sendable, Equatable {
    package enum Network: Sendable, Hashable {
      case none, host
      /// A network of the stack, by its key.
      case named(String)
    }

    /// A folder or an image that a Dockerfile may name.
    package enum Context: Sendable, Hashable {
      /// An absolute path of the host.
      case folder(String)
      /// An image's name, or `oci:` and an absolute path.
      case image(String)
      /// The image of another service, by its key.
      case service(String)
    }

    package struct NamedContext: Sendable, Equatable {
      package var name: Located<String>
      package var origin: Located<Context>
    }

    /// A secret that steps may mount.
    package struct Secret: Sendable, Equatable {
      /// The key under `secrets:` of the stack.
      package var source: Located<String>
      /// The id that a mount names.
      package var id: String
    }

    /// Absolute path of the folder.
    package var context: Located<String>
    /// From the context, or absolute. Nil: `Dockerfile`.
    package var dockerfile: Located<String>?
    /// The text of a Dockerfile that is in no file.
    package var inline: Located<String>?
    /// Values by name; those that the file leaves to the environment and that have none there are left out.
    package var arguments: [EnvironmentVariable] = []
    package var target: Located<String>?
    /// Further names of the image.
    package var tags: [Located<String>] = []
    package var labels: [Label] = []
    package var network: Located<Network>?
    package var usesCache = true
    /// The names of stages whose steps are done anew.
    package var uncachedStages: [Located<String>] = []
    /// True if images of FROM are fetched though they are there.
    package var pulls = false
    package var secrets: [Secret] = []
    package var extraHosts: [ExtraHost] = []
    /// Bytes of /dev/shm.
    package var sharedMemory: UInt64?
    package var contexts: [NamedContext] = []
    package var limits: [ProcessLimit] = []

    init(context: Located<String>) { self.context = context }
  }
}

extension StackFile {
  /// A secret's contents, as a build gets them.
  package enum SecretContents: Sendable, Hashable {
    /// A file of the host: its absolute path.
    case file(String)
    case text(String)
  }

  /// The contents of a build's secret. Nil for one that is not declared, which has been reported.
  package func contents(of secret: Build.Secret) -> SecretContents? {
    switch secrets[secret.source.value]?.origin {
    case .file(let path): .file(path)
    case .text(let text), .variable(_, let text): .text(text)
    case nil: nil
    }
  }

  /// The name of the image of a service that is built and names none.
  package static func imageName(ofService service: String, in stack: String) -> String {
    "\(stack)-\(service)".lowercased()
  }
}
