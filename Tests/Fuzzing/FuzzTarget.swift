/// The readers that are fuzzed. All get an equal share of the time.
public enum FuzzTarget: String, CaseIterable, Sendable {
  case stackFile, controlRequest, controlReply, journal, log, logTime, dnsQuestion, dnsAnswer, netlinkReply
  case imageReference, imageManifest, registryAnswer, layer, dockerfile
}
