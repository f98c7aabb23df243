import FoundationEssentials
import ImageFormat
import ImageReference
import ImageStore
import Registry

/// The image that a registry process is about, and all that it needs to know of this host: it reads no file of it.
struct RegistryOrder: Codable, Sendable {
  struct Place: Codable, Sendable {
    var reference: ImageReference
    var endpoint: RegistryEndpoint
    var login: RegistryLogin
  }

  /// As people write it.
  var image: String
  /// The registry's name, for messages.
  var place: String
  /// Mirrors, then the registry itself.
  var places: [Place]
  /// `pull`, or `pull,push`.
  var actions = "pull"
  /// Repositories of the registry whose blobs are to be taken over.
  var further: [String] = []
  /// False for a thread of a program that goes on with other things.
  var isConfined = true

  /// - Throws: that the registry is blocked, or that a file of the host's cannot be understood.
  init(_ reference: ImageReference, environment: [String: String]) throws(ImageError) {
    (image, place) = (reference.path.isEmpty ? reference.domain : reference.familiar, reference.domain)
    let credentials = CredentialFiles(environment: environment)
    do throws(RegistryError) {
      let found = try RegistriesConfiguration.read(environment: environment).places(of: reference)
      var places: [Place] = []
      for place in found {
        let repository = place.reference.path.isEmpty ? place.reference.domain : place.reference.repository
        places.append(
          Place(
            reference: place.reference,
            endpoint: try RegistryEndpoint(place.reference, isInsecure: place.isInsecure),
            login: RegistryLogin(credentials, for: repository)))
      }
      self.places = places
    } catch {
      throw ImageError(image, error)
    }
  }

  /// A file of the web, which is of no registry.
  init(file address: String) { (image, place, places) = (address, address, []) }

  /// The variables of a caller's environment that libcurl reads.
  static func proxies(of environment: [String: String]) -> [String] {
    let names = ["http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"]
    var variables = names.compactMap { name in environment[name].map { "\(name)=\($0)" } }
    // Upper case, it could be a header of somebody's request to a web server (httpoxy): libcurl does not read it. Nobody asks us.
    if environment["http_proxy"] == nil, let proxy = environment["HTTP_PROXY"] {
      variables.append("http_proxy=\(proxy)")
    }
    return variables
  }
}

/// One thing that is asked of a registry process, each over a stream of its own.
enum RegistryRequest: Codable, Sendable {
  case image(ImagePlatform, known: ContentDigest?)
  case layer(BlobDescriptor, from: Int64)
  /// The digest that the image's name means now.
  case digest
  case logIn
  /// Its file follows as a descriptor.
  case upload(BlobDescriptor, mounting: [String])
  /// The bytes follow.
  case manifest(type: String)
  /// A file of the web.
  case file(String, reachesHost: Bool)
}

struct RegistryReply: Codable, Sendable {
  var failure: ImageError?
  /// The answer to `digest`.
  var digest: ContentDigest?
  /// The answer to `upload`.
  var upload: RegistryClient.Upload?
  /// The answer to `logIn`: a token in the place of the password.
  var identityToken: String?
  /// The answer to `file`.
  var download: Download?
  /// The answer to `image`; its documents come before it.
  var image: Image?

  struct Image: Codable, Sendable {
    var record: ImageRecord
    var digest: ContentDigest
    var warnings: [String]
    /// Of the documents, in their order.
    var documents: [ContentDigest]
  }

  init(failure: ImageError? = nil, image: FedImage? = nil) {
    self.failure = failure
    self.image = image.map {
      Image(record: $0.record, digest: $0.digest, warnings: $0.warnings, documents: $0.documents.map(\.digest))
    }
  }
}
