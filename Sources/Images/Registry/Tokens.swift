import FoundationEssentials

/// The question for a token (distribution specification, token authentication and OAuth 2).
struct TokenRequest {
  var realm: String
  var service: String?
  var scopes: [String]

  /// GET, with the credentials as Basic where there are some.
  ///
  /// - Parameter isLogin: whether a refresh token is wanted, too.
  func plain(_ credentials: Credentials?, isLogin: Bool = false) -> Transfer.Request {
    var fields = scopes.map { ("scope", $0) }
    if isLogin, let credentials {
      fields += [("account", credentials.user), ("client_id", "stack"), ("offline_token", "true")]
    }
    if let service { fields.insert(("service", service), at: 0) }
    var request = Transfer.Request(url: realm + (realm.contains("?") ? "&" : "?") + Self.form(fields))
    if let credentials, credentials.refreshToken == nil || !credentials.password.isEmpty {
      request.headers = ["Authorization: \(credentials.basic)"]
    }
    return request
  }

  /// POST of a form with a refresh token.
  func exchange(_ refreshToken: String) -> Transfer.Request {
    var request = Transfer.Request(url: realm, method: "POST")
    request.headers = ["Content-Type: application/x-www-form-urlencoded"]
    let form = Self.form([
      ("grant_type", "refresh_token"), ("service", service ?? ""), ("client_id", "stack"),
      ("scope", scopes.joined(separator: " ")), ("refresh_token", refreshToken),
    ])
    request.body = .bytes(Array(form.utf8))
    return request
  }

  private static func form(_ fields: [(String, String)]) -> String {
    fields.map { "\($0.0)=\(escaped($0.1))" }.joined(separator: "&")
  }

  /// RFC 3986, section 2.3: all but the unreserved.
  static func escaped(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: bytes.append(byte)
      default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

struct TokenReply: Decodable {
  var token: String?
  var accessToken: String?
  var refreshToken: String?
  var expiresIn: Int?

  enum CodingKeys: String, CodingKey {
    case token
    case accessToken = "access_token"
    case refreshToken = "refresh_token"
    case expiresIn = "expires_in"
  }

  /// The time that it is good for, from now on: a minute where nobody says, or says less.
  var seconds: Double { Double(max(expiresIn ?? 60, 60)) }

  var text: String? {
    let text = token ?? accessToken
    // It becomes part of a header.
    guard let text, !text.isEmpty, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
    return text
  }
}
