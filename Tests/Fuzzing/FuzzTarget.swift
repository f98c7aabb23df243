/// What is fuzzed. The time that there is, is shared out evenly between all of these.
public enum FuzzTarget: String, CaseIterable, Sendable {
  case stackFile, controlRequest, controlReply, journal, log, logTime, dnsQuestion, dnsAnswer, netlinkReply
}
