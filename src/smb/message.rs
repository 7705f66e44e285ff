//! One unit on the wire, with all it holds: [`dissect`].

use super::header::{COMPRESSED, SMB1, SMB2, TRANSFORM};
use super::{
    Close, Command, CompressionTransform, Create, Created, Header, Ioctl, IoctlAnswer, Nbss,
    NbssType, Negotiate, Negotiated, Read, SessionPacket, SessionSetup, SessionSetupAnswer, Status,
    Transform, TreeConnect, TreeConnected, Write, compression, create, io, ioctl, nbss, negotiate,
    session, transform, tree, v1,
};
use crate::bytes::{Field, Missing, Reader, Sink, Span, Stop, Why};

/// Messages of a compound that was compressed. Clients send a handful; without a bound a few
/// hundred octets would make thousands of messages.
const MAX_COMPRESSED: usize = 64;

/// What a unit is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// SMB2 messages, which were given one by one.
    Messages,
    /// An encrypted message.
    Sealed(Transform),
    /// A compressed message.
    Compressed(CompressionTransform),
    /// An SMB1 message.
    Smb1(v1::Message),
    /// A packet of the NetBIOS session service that carries no message.
    Session(SessionPacket),
    /// None of these.
    Unknown,
}

/// One SMB2 message of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its header.
    pub header: Header,
    /// What follows the header; [`Body::Other`] when reading stopped.
    pub body: Body,
    /// Where it lies in the unit, its header included.
    pub span: Span,
    /// Where and why reading stopped.
    pub stop: Option<Stop>,
}

/// What follows the header of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// 2.2.3
    Negotiate(Negotiate),
    /// 2.2.4
    Negotiated(Negotiated),
    /// 2.2.5
    SessionSetup(SessionSetup),
    /// 2.2.6
    SessionSetupAnswer(SessionSetupAnswer),
    /// 2.2.7 and 2.2.8
    Logoff,
    /// 2.2.9
    TreeConnect(TreeConnect),
    /// 2.2.10
    TreeConnected(TreeConnected),
    /// 2.2.11 and 2.2.12
    TreeDisconnect,
    /// 2.2.13
    Create(Create),
    /// 2.2.14
    Created(Created),
    /// 2.2.15
    Close(Close),
    /// 2.2.16
    Closed,
    /// 2.2.19
    Read(Read),
    /// 2.2.20: where the data lie
    ReadAnswer(Span),
    /// 2.2.21
    Write(Write),
    /// 2.2.22
    Written,
    /// 2.2.31
    Ioctl(Ioctl),
    /// 2.2.32
    IoctlAnswer(IoctlAnswer),
    /// 2.2.2 SMB2 ERROR Response
    Error,
    /// A command that is not read, or that could not be.
    Other,
}

/// Reads the unit at the reader's position, its four-byte header included, and gives each SMB2
/// message in it to `each`.
///
/// Of a unit that was skimmed (it is shorter than its own header says), what is missing at the end
/// is [`Missing::Capped`], nobody's fault.
pub fn dissect<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    mut each: impl FnMut(Message),
) -> Result<Packet, Stop> {
    let start = r.pos();
    let header = Nbss::read(r)?;
    let cut = header.length > r.left();
    if header.kind != NbssType::SESSION_MESSAGE {
        let packet = r.within(header.length, "LENGTH", |r| nbss::packet(r, header.kind));
        return packet.map(Packet::Session).map_err(|stop| forgive(stop, cut));
    }
    let at = r.pos();
    let magic = r.array::<4>().map_err(|stop| forgive(stop, cut))?;
    r.seek(at, "ProtocolId")?;
    let packet = r.within(header.length, "LENGTH", |r| match magic {
        SMB2 => chain(r, cut, usize::MAX, &mut each),
        TRANSFORM => transform::encrypted(r).map(Packet::Sealed),
        COMPRESSED => compression::read(r, cut).map(Packet::Compressed),
        SMB1 => v1::read(r, cut).map(Packet::Smb1),
        _ => Ok(Packet::Unknown),
    });
    let packet = packet.map_err(|stop| forgive(stop, cut))?;
    if !matches!(packet, Packet::Messages | Packet::Compressed(_) | Packet::Smb1(_)) {
        r.bytes(dec!("Data"), r.left())?;
    }
    r.seek(start.saturating_add(header.whole()).min(r.end()), "LENGTH")?;
    Ok(packet)
}

/// Reads the SMB2 messages at the reader's position, `whole` bytes without a transport header, as
/// [`Plain`](super::Plain) has them; fewer are here if the rest was not asked for.
pub fn dissect_plain<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    whole: u32,
    mut each: impl FnMut(Message),
) -> Result<Packet, Stop> {
    let cut = whole > r.left();
    chain(r, cut, MAX_COMPRESSED, &mut each).map_err(|stop| forgive(stop, cut))
}

/// Reads what was in an encrypted message, at the reader's position and to its end: SMB2 messages, or
/// a compressed one.
pub fn dissect_opened<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    mut each: impl FnMut(Message),
) -> Result<Packet, Stop> {
    let at = r.pos();
    let magic = r.array::<4>()?;
    r.seek(at, "ProtocolId")?;
    match magic {
        COMPRESSED => compression::read(r, false).map(Packet::Compressed),
        _ => chain(r, false, usize::MAX, &mut each),
    }
}

/// 3.2.4.1.4 Sending Compounded Requests: messages linked by `NextCommand`.
fn chain<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    cut: bool,
    most: usize,
    each: &mut impl FnMut(Message),
) -> Result<Packet, Stop> {
    for _ in 0..most {
        let base = r.pos();
        let header = Header::read(r)?;
        let next = header.next_command;
        if next != 0 && next < Header::SIZE {
            return Err(Stop::malformed(
                base + 20,
                format!("NextCommand {next} points into the header"),
            ));
        }
        let len = if next == 0 { r.end().saturating_sub(base) } else { next };
        let rest = len.saturating_sub(Header::SIZE);
        if rest > r.left() && !cut {
            return Err(Stop::malformed(
                base + 20,
                format!("NextCommand {next} points past the end"),
            ));
        }
        let body = r.within(rest, "NextCommand", |r| {
            let name = header.command.name().unwrap_or("body");
            r.group(name, |r| body(r, base, &header))
        });
        let (body, stop) = match body {
            Ok(body) => (body, None),
            Err(stop) => (Body::Other, Some(forgive(stop, cut))),
        };
        let end = base.saturating_add(len);
        each(Message { header, body, span: Span::new(base, end.min(r.end())), stop });
        if next == 0 || end > r.end() {
            return Ok(Packet::Messages);
        }
        r.seek(end, "NextCommand")?;
    }
    Err(Stop::malformed(r.pos(), format!("more than {most} messages in one that was compressed")))
}

/// In a skimmed unit the end is where the caller cut it, not where a length says.
pub(super) fn forgive(stop: Stop, cut: bool) -> Stop {
    let past_end = match &stop.why {
        Why::Short { .. } => true,
        Why::Malformed(what) => what.ends_with("points past the end"),
        Why::Missing(_) => false,
    };
    if cut && past_end {
        return Stop { at: stop.at, why: Why::Missing(Missing::Capped) };
    }
    stop
}

fn body<S: Sink>(r: &mut Reader<'_, '_, S>, base: u32, header: &Header) -> Result<Body, Stop> {
    if !header.is_response() {
        return request(r, base, header.command);
    }
    if is_error(r, header)? {
        return error(r).map(|()| Body::Error);
    }
    response(r, base, header.command)
}

fn request<S: Sink>(r: &mut Reader<'_, '_, S>, base: u32, command: Command) -> Result<Body, Stop> {
    Ok(match command {
        Command::NEGOTIATE => Body::Negotiate(negotiate::request(r, base)?),
        Command::SESSION_SETUP => Body::SessionSetup(session::request(r, base)?),
        Command::LOGOFF => session::empty(r).map(|()| Body::Logoff)?,
        Command::TREE_CONNECT => Body::TreeConnect(tree::request(r, base)?),
        Command::TREE_DISCONNECT => session::empty(r).map(|()| Body::TreeDisconnect)?,
        Command::CREATE => Body::Create(create::request(r, base)?),
        Command::CLOSE => Body::Close(create::close_request(r)?),
        Command::READ => Body::Read(io::read_request(r, base)?),
        Command::WRITE => Body::Write(io::write_request(r, base)?),
        Command::IOCTL => Body::Ioctl(ioctl::request(r, base)?),
        _ => other(r)?,
    })
}

fn response<S: Sink>(r: &mut Reader<'_, '_, S>, base: u32, command: Command) -> Result<Body, Stop> {
    Ok(match command {
        Command::NEGOTIATE => Body::Negotiated(negotiate::response(r, base)?),
        Command::SESSION_SETUP => Body::SessionSetupAnswer(session::response(r, base)?),
        Command::LOGOFF => session::empty(r).map(|()| Body::Logoff)?,
        Command::TREE_CONNECT => Body::TreeConnected(tree::response(r)?),
        Command::TREE_DISCONNECT => session::empty(r).map(|()| Body::TreeDisconnect)?,
        Command::CREATE => Body::Created(create::response(r, base)?),
        Command::CLOSE => create::close_response(r).map(|()| Body::Closed)?,
        Command::READ => Body::ReadAnswer(io::read_response(r, base)?),
        Command::WRITE => io::write_response(r).map(|()| Body::Written)?,
        Command::IOCTL => Body::IoctlAnswer(ioctl::response(r, base)?),
        _ => other(r)?,
    })
}

fn other<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Body, Stop> {
    r.u16(dec!("StructureSize"))?;
    if S::ROWS {
        r.sub(dec!("Body"), r.left())?;
    }
    Ok(Body::Other)
}

/// 3.3.4.4 Sending an Error Response: an unsuccessful response has the structure of 2.2.2, but for
/// the cases listed there.
fn is_error<S: Sink>(r: &mut Reader<'_, '_, S>, header: &Header) -> Result<bool, Stop> {
    const ERROR_SIZE: u16 = 9;
    if header.status == Status::SUCCESS {
        return Ok(false);
    }
    let back = r.pos();
    let size = r.raw_u16()?;
    r.seek(back, "StructureSize")?;
    if size != ERROR_SIZE {
        return Ok(false);
    }
    // The one response whose own structure has that size.
    let goes_on = header.status == Status::MORE_PROCESSING_REQUIRED;
    Ok(header.command != Command::SESSION_SETUP || !goes_on)
}

/// 2.2.2 SMB2 ERROR Response
fn error<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<(), Stop> {
    r.u16(dec!("StructureSize"))?;
    r.u8(dec!("ErrorContextCount"))?;
    r.u8(dec!("Reserved"))?;
    let len = r.u32(dec!("ByteCount"))?;
    if len > 0 {
        r.bytes(dec!("ErrorData"), len)?;
    }
    Ok(())
}

/// Runs `read` on the `len` bytes `offset` from the header at `base`, if there are any.
pub(super) fn elsewhere<'v, T, S: Sink>(
    r: &mut Reader<'v, '_, S>,
    base: u32,
    offset: u32,
    len: u32,
    what: &'static str,
    read: impl FnOnce(&mut Reader<'v, '_, S>) -> Result<T, Stop>,
) -> Result<Option<T>, Stop> {
    if len > 0 && offset < Header::SIZE {
        return Err(Stop::malformed(r.pos(), format!("{what} {offset} points into the header")));
    }
    apart(r, base, offset, len, what, read)
}

/// The same for an offset from anything else.
pub(super) fn apart<'v, T, S: Sink>(
    r: &mut Reader<'v, '_, S>,
    base: u32,
    offset: u32,
    len: u32,
    what: &'static str,
    read: impl FnOnce(&mut Reader<'v, '_, S>) -> Result<T, Stop>,
) -> Result<Option<T>, Stop> {
    if len == 0 {
        return Ok(None);
    }
    let start = base.saturating_add(offset);
    r.seek(start, what)?;
    if len > r.left() {
        return Err(Stop {
            at: start,
            why: Why::Short { need: len, left: r.left(), limit: "the message" },
        });
    }
    r.within(len, what, read).map(Some)
}

/// A buffer of `len` bytes, `offset` from the header at `base`; gives where it lies.
pub(super) fn buffer<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    base: u32,
    offset: u32,
    len: u32,
    field: &'static Field,
    what: &'static str,
) -> Result<Span, Stop> {
    let span = elsewhere(r, base, offset, len, what, |r| {
        let at = r.pos();
        r.sub(field, len)?;
        Ok(Span::new(at, r.pos()))
    })?;
    Ok(span.unwrap_or_default())
}

/// Checks that `count` items of at least `size` bytes can be there.
pub(super) fn counted<S: Sink>(
    r: &Reader<'_, '_, S>,
    count: u32,
    size: u32,
    what: &'static str,
) -> Result<(), Stop> {
    if count.saturating_mul(size) > r.left() {
        return Err(Stop {
            at: r.pos(),
            why: Why::Short { need: count.saturating_mul(size), left: r.left(), limit: what },
        });
    }
    Ok(())
}
