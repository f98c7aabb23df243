import Vocabulary

/// The keys of a volume.
enum VolumeKeys {
  static let table = KeyTable<StackFile.Volume>(
    "volume",
    [
      .read("name", "its name on the host, when not the key") { field, volume in
        guard let name = field.nonEmptyText(), field.checkName(name, .object, of: "volume") else { return }
        volume.givenName = name
      }.optional,
      .read("driver", "local") { field, _ in _ = field.choice(Driver.self) }.optional,
      .read("labels", "for people and programs to find it by") { field, volume in volume.labels = field.labels() },
      .read("external", "true: it is there already, and is never removed; its name is for all stacks") {
        field, volume in
        // Compose's former way to give the name.
        if field.node.entries != nil {
          volume.external = field.key
          externalName.read(field, into: &volume)
        } else if field.boolean() == true {
          volume.external = field.key
        }
      },
      .read(
        "driver_opts", "a file system that is mounted as the volume: {type: nfs, o: \"addr=…\", device: \":/data\"}"
      ) {
        field, volume in
        var source = StackFile.VolumeSource()
        options.read(field, into: &source)
        guard field.node["device"] != nil || field.node["type"] != nil else { return }
        volume.mounted = source
      },
    ])

  private static let externalName = KeyTable<StackFile.Volume>(
    "external volume",
    [.read("name", "its name") { field, volume in volume.givenName = volume.givenName ?? field.nonEmptyText() }])

  /// Those of Docker's local driver, which are mount(8)'s.
  private static let options = KeyTable<StackFile.VolumeSource>(
    "volume's driver_opts",
    [
      .read("type", "the file system: none for a folder of the host, nfs, tmpfs, ext4") { field, source in
        source.type = field.nonEmptyText()?.value ?? source.type
      }.optional,
      .read("device", "what is mounted: a folder, a device, or HOST:/path") { field, source in
        guard let device = field.nonEmptyText() else { return }
        let isFolder = [".", "~"].contains { device.value.hasPrefix($0) }
        source.device = isFolder ? field.hostPath(device) ?? device.value : device.value
      }.optional,
      .read("o", "mount options, with commas between") { field, source in
        source.options = field.nonEmptyText()?.value ?? ""
      }.optional,
      .ignored("size", "it is for file systems with quotas"),
    ])

  private enum Driver: String, CaseIterable { case local }
}
