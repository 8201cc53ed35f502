use std::{net::SocketAddr, time::Duration};

use rsipstack::{
    sip::SipMessage,
    transaction::endpoint::EndpointInnerRef,
    transport::{
        SipAddr, SipConnection, TransportEvent, channel::ChannelConnection,
        connection::TransportSender,
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split},
    net::TcpStream,
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Frame, Framer, Transport, mend};
use crate::sip::screen::{Verdict, screen};

/// Messages that may wait to be written; then their senders wait.
const OUTGOING: usize = 64;
/// A peer that takes no byte for so long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// A message that has begun must end within this.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(30);
/// A connection that carries nothing for so long is closed. More than half of the usual session
/// interval: between two refreshes a call says nothing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(3_600);
/// The kernel asks after so much silence whether the peer is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// Bytes read at once.
const CHUNK: usize = 8_192;

/// One connection, cut into messages and joined to the stack.
pub(super) struct Flow<S> {
    reader: ReadHalf<S>,
    writer: WriteHalf<S>,
    framer: Framer,
    remote: SocketAddr,
    transport: Transport,
    connection: SipConnection,
    to_stack: TransportSender,
    from_stack: mpsc::Receiver<TransportEvent>,
    /// Fires when the stack, or the agent, wants the connection closed.
    closed: CancellationToken,
}

/// Why a flow ended, for the log.
type Ended = &'static str;

/// Asks the kernel to notice a peer that has vanished.
pub(super) fn keep_alive(stream: &TcpStream) {
    let settings = socket2::TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE / 4);
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_keepalive(&settings) {
        tracing::debug!(%error, "no TCP keep-alive");
    }
    // Messages are small and each is written at once.
    let _ = stream.set_nodelay(true);
}

impl<S: AsyncRead + AsyncWrite + Send + 'static> Flow<S> {
    /// Makes `stream` known to the stack as the way to `remote`.
    pub(super) async fn open(
        stream: S,
        transport: Transport,
        remote: SocketAddr,
        endpoint: &EndpointInnerRef,
        closed: CancellationToken,
    ) -> rsipstack::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "the stack's interface; its own queue too")]
        let (to_stack, incoming) = mpsc::unbounded_channel();
        let (outgoing, from_stack) = mpsc::channel(OUTGOING);
        let addr: SipAddr = transport.at(remote);
        let channel = ChannelConnection::create_connection_bounded(
            incoming,
            outgoing,
            addr,
            Some(closed.clone()),
        )
        .await?;
        let connection = SipConnection::Channel(channel);
        endpoint.transport_layer.add_connection(connection.clone());
        let (reader, writer) = split(stream);
        let framer = Framer::default();
        Ok(Self {
            reader,
            writer,
            framer,
            remote,
            transport,
            connection,
            to_stack,
            from_stack,
            closed,
        })
    }

    /// Carries messages until either side closes the connection.
    pub(super) async fn run(mut self) {
        let ended = self.carry().await;
        tracing::debug!(remote = %self.remote, transport = %self.transport, ended, "SIP connection closed");
        self.closed.cancel();
        let _ = timeout(WRITE_TIMEOUT, self.writer.shutdown()).await;
        // The stack never ends a transaction whose answer it could not hand over: until the last
        // one is done, its messages are taken, and lost as datagrams may be.
        let Self { connection, mut from_stack, .. } = self;
        drop(connection);
        tokio::spawn(async move { while from_stack.recv().await.is_some() {} });
    }

    async fn carry(&mut self) -> Ended {
        let mut chunk = vec![0; CHUNK];
        let mut deadline = Instant::now() + IDLE_TIMEOUT;
        loop {
            tokio::select! {
                () = self.closed.cancelled() => return "by us",
                () = sleep_until(deadline) => return "nothing came for too long",
                event = self.from_stack.recv() => match event {
                    Some(TransportEvent::Incoming(message, ..)) => {
                        if !self.write(&mend::outgoing(&message.to_bytes()).0).await {
                            return "a message could not be written";
                        }
                    }
                    Some(_) => {}
                    None => return "by the stack",
                },
                read = self.reader.read(&mut chunk) => {
                    let Ok(len @ 1..) = read else { return "by the peer" };
                    let was_partial = self.framer.is_partial();
                    self.framer.push(&chunk[..len]);
                    if let Err(ended) = self.take_frames().await {
                        return ended;
                    }
                    // A message that trickles in does not get its time anew with each byte.
                    deadline = match (was_partial, self.framer.is_partial()) {
                        (_, false) => Instant::now() + IDLE_TIMEOUT,
                        (false, true) => Instant::now() + MESSAGE_TIMEOUT,
                        (true, true) => deadline,
                    };
                }
            }
        }
    }

    async fn take_frames(&mut self) -> Result<(), Ended> {
        loop {
            match self.framer.next_frame() {
                Ok(None) => return Ok(()),
                Ok(Some(Frame::Ping)) => {
                    if !self.write(b"\r\n").await {
                        return Err("a keep-alive could not be answered");
                    }
                }
                Ok(Some(Frame::Message(message))) => self.take(message).await?,
                Ok(Some(Frame::Last(message))) => {
                    self.take(message).await?;
                    return Err("a message without a usable length");
                }
                Err(_) => return Err("no SIP"),
            }
        }
    }

    async fn take(&mut self, message: Vec<u8>) -> Result<(), Ended> {
        let message = mend::incoming(&message).unwrap_or(message);
        let message = match screen(&message) {
            Verdict::Pass => message,
            Verdict::Rewritten(unfolded) => unfolded,
            Verdict::Answer(response) => {
                tracing::debug!(from = %self.remote, status = %response.lines().next().unwrap_or(""), "refused a request");
                let written = self.write(response.as_bytes()).await;
                return if written { Ok(()) } else { Err("a refusal could not be written") };
            }
            Verdict::Drop => {
                tracing::debug!(from = %self.remote, "dropped a message");
                return Ok(());
            }
        };
        let transport = self.transport.to_stack();
        let message = SipMessage::try_from(message.as_slice()).ok().and_then(|message| {
            SipConnection::update_msg_received(message, self.remote, transport).ok()
        });
        let Some(message) = message else {
            tracing::debug!(from = %self.remote, "dropped a message that cannot be read");
            return Ok(());
        };
        let from = self.transport.at(self.remote);
        let event = TransportEvent::Incoming(message, self.connection.clone(), from);
        self.to_stack.send(event).map_err(|_| "by the stack")
    }

    async fn write(&mut self, bytes: &[u8]) -> bool {
        let written = async {
            self.writer.write_all(bytes).await?;
            self.writer.flush().await
        };
        matches!(timeout(WRITE_TIMEOUT, written).await, Ok(Ok(())))
    }
}
