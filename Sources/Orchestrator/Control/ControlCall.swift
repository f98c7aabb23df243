/// One call while it is being answered. Keep it for as long as it takes; it belongs to the loop's thread.
///
/// A call that is released without an answer is answered with an error. Replies to a peer that went away are dropped.
package final class ControlCall<Method: ControlMethod> {
  package let parameters: Method.Parameters
  /// The caller.
  let peer: PeerCredentials
  /// True if the caller takes several replies.
  var wantsMore: Bool { state.wantsMore }

  private let state: ControlCallState

  init(parameters: Method.Parameters, peer: PeerCredentials, state: ControlCallState) {
    self.parameters = parameters
    self.peer = peer
    self.state = state
  }

  deinit {
    state.fail(.internalError("\(Method.name) was not answered"))
  }

  /// True if an answer still has somewhere to go.
  var isOpen: Bool { state.isOpen }

  /// True if the peer is slow to read: send nothing more until ``onDrain``, or be cut off at the limit.
  var isCongested: Bool { state.connection?.isCongested ?? false }

  /// Called once when the peer goes away, or is cut off, before the last reply.
  package var onDisconnect: (() -> Void)? {
    get { state.onDisconnect }
    set { state.onDisconnect = newValue }
  }

  /// Called when a peer that was slow has caught up.
  var onDrain: (() -> Void)? {
    get { state.onDrain }
    set { state.onDrain = newValue }
  }

  /// Sends one reply of several. To a caller that did not ask for more it is the end, with an error.
  package func send(_ reply: Method.Reply) {
    guard wantsMore || state.isOneway else { return state.fail(.expectedMore(Method.name)) }
    state.reply(reply, continues: true)
  }

  /// Sends the last reply, or the only one.
  package func finish(_ reply: Method.Reply) {
    state.reply(reply, continues: false)
  }

  /// Ends the call with an error.
  func fail(_ failure: ControlFailure) {
    state.fail(failure)
  }
}

/// The state of a call that is shared with its connection.
final class ControlCallState {
  let wantsMore: Bool
  let isOneway: Bool
  var onDisconnect: (() -> Void)?
  var onDrain: (() -> Void)?
  private(set) weak var connection: ControlConnection?

  init(connection: ControlConnection, wantsMore: Bool, isOneway: Bool) {
    self.connection = connection
    self.wantsMore = wantsMore
    self.isOneway = isOneway
  }

  var isOpen: Bool { connection != nil }

  func reply(_ reply: some Encodable, continues: Bool) {
    guard let connection else { return }
    do {
      let message = ControlMessage.Reply(parameters: reply, continues: continues ? true : nil)
      let text = try ControlMessage.encode(message)
      if !continues { end() }
      connection.deliver(isOneway ? [] : text, endsCall: !continues)
    } catch {
      fail(.internalError("the reply cannot be written as JSON: \(error)"))
    }
  }

  func fail(_ failure: ControlFailure) {
    guard let connection else { return }
    end()
    connection.deliver(isOneway ? [] : ControlMessage.encode(failure), endsCall: true)
  }

  /// The connection is going away.
  func disconnect() {
    guard isOpen else { return }
    let notify = onDisconnect
    end()
    notify?()
  }

  private func end() {
    connection = nil
    onDisconnect = nil
    onDrain = nil
  }
}
