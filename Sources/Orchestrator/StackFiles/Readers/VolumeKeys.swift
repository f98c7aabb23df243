import Vocabulary

/// The keys of a volume.
enum VolumeKeys {
  static let table = KeyTable<StackFile.Volume>(
    "volume",
    [
      .read("name", "its name on the host, when not the key") { field, volume in
        guard let name = field.nonEmptyText(), field.checkName(name, .object, of: "volume") else { return }
        volume.givenName = name
      },
      .read("driver", "local") { field, _ in _ = field.choice(Driver.self) },
      .read("labels", "for people and programs to find it by") { field, volume in volume.labels = field.labels() },
      .read("external", "false") { field, _ in
        if field.node.entries != nil || field.boolean() == true {
          field.report(
            .notSupported, "volumes of others are not supported", at: field.key,
            help: ["bind the folder: `/srv/data:/data`"])
        }
      },
      .notSupported("driver_opts", "bind a folder that is mounted already: `/srv/data:/data`"),
    ])

  private enum Driver: String, CaseIterable { case local }
}
