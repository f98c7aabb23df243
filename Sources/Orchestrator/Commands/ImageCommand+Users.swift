import Export
import ImageReference
import ImageStore
import Images
import Kernel
import Layer
import Runtime
import StackFiles

extension ImageCommand {
  /// The numbers of users whose names the services give, by the service. An image that is not here, or that the caller
  /// may not read, has none.
  func numberedUsers(of services: [StackFile.Service]) -> [String: NumberedUser] {
    var users: [String: NumberedUser] = [:]
    for service in services {
      guard let user = service.user?.value, case .image(let source) = service.rootfs.value else { continue }
      let text = [user.user, user.group].compactMap(\.self).joined(separator: ":")
      users[service.name.value] = numbered(text, in: source)
    }
    return users
  }

  private func numbered(_ user: String, in source: ImageSource) -> NumberedUser? {
    guard let image = try? images.find(absolute(source)),
      let layers = try? LowerLayers(image.layers.map(images.store.layer))
    else { return nil }
    func text(_ path: String) -> String {
      String(decoding: (try? layers.read(path, limit: 1 << 20)) ?? [], as: UTF8.self)
    }
    guard
      let found = try? RootUsers.numbers(of: user, passwd: text("etc/passwd"), group: text("etc/group"))
    else { return nil }
    return NumberedUser(user: found.user, group: found.group)
  }
}
