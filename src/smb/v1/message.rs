//! One message: its header and the commands chained behind it.

use super::super::message::forgive;
use super::block::{Place, bytes};
use super::files::{EXTENDED_WORDS, EXTENDED_WORDS_SENT};
use super::io::Read;
use super::{
    Command, Fid, Header, Negotiated, Open, Opened, Part, SessionSetUp, SessionSetup, Transaction,
    TreeConnect, TreeConnected, Write, connect, files, io, logon, transaction,
};
use crate::bytes::{Reader, Sink, Span, Stop};

/// Commands of one message that are read; no client chains more than a few.
const BLOCKS_MAX: usize = 16;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its header.
    pub header: Header,
    /// The commands in it, one at least.
    pub blocks: Vec<Block>,
    /// Where and why reading stopped.
    pub stop: Option<Stop>,
}

/// One command, or the answer to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Which.
    pub command: Command,
    /// What it says; [`Body::Other`] when reading stopped.
    pub body: Body,
}

/// What a command or its answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// 2.2.4.52.1
    Negotiate,
    /// 2.2.4.52.2
    Negotiated(Negotiated),
    /// 2.2.4.53.1
    SessionSetup(SessionSetup),
    /// 2.2.4.53.2: where the security token lies
    SessionSetUp(SessionSetUp),
    /// 2.2.4.54
    Logoff,
    /// 2.2.4.55.1 and 2.2.4.50.1
    TreeConnect(TreeConnect),
    /// 2.2.4.55.2 and 2.2.4.50.2
    TreeConnected(TreeConnected),
    /// 2.2.4.51.1
    TreeDisconnect,
    /// 2.2.4.64.1, 2.2.4.41.1 and 2.2.4.3.1
    Open(Open),
    /// 2.2.4.64.2, 2.2.4.41.2 and 2.2.4.3.2
    Opened(Opened),
    /// 2.2.4.5.1
    Close(Fid),
    /// 2.2.4.42.1 and 2.2.4.11.1
    Read(Read),
    /// 2.2.4.42.2 and 2.2.4.11.2: where the data lie
    ReadAnswer(Span),
    /// 2.2.4.43.1, 2.2.4.12.1 and 2.2.4.40.1
    Write(Write),
    /// 2.2.4.43.2, 2.2.4.12.2 and 2.2.4.40.2
    Written,
    /// 2.2.4.33.1
    Transaction(Transaction),
    /// 2.2.4.34.1
    TransactionSecondary(Part),
    /// 2.2.4.33.2
    TransactionAnswer(Part),
    /// An answer without parameters: an error, an interim response, or all there is to say.
    Empty,
    /// A command that is not read, or that could not be.
    Other,
}

/// Reads a message; `cut` says that its end was left out by the caller.
pub(in super::super) fn read<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    cut: bool,
) -> Result<Message, Stop> {
    let base = r.pos();
    let header = Header::read(r)?;
    let mut message = Message { header, blocks: Vec::new(), stop: None };
    let mut command = header.command;
    loop {
        let name = command.name().unwrap_or("command");
        let block = r.group(name, |r| block(r, base, command, &header));
        let (body, next) = match block {
            Ok(read) => read,
            Err(stop) => {
                message.stop = Some(forgive(stop, cut));
                (Body::Other, None)
            }
        };
        message.blocks.push(Block { command, body });
        let Some(next) = next else { return Ok(message) };
        if message.blocks.len() >= BLOCKS_MAX {
            let what = format!("more than {BLOCKS_MAX} commands are chained");
            message.stop = Some(Stop::malformed(r.pos(), what));
            return Ok(message);
        }
        command = next.command;
        if let Err(stop) = r.seek(base.saturating_add(next.offset), "AndXOffset") {
            message.stop = Some(forgive(stop, cut));
            return Ok(message);
        }
    }
}

/// The command that follows, and how far from the header.
struct Next {
    command: Command,
    offset: u32,
}

fn block<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    base: u32,
    command: Command,
    header: &Header,
) -> Result<(Body, Option<Next>), Stop> {
    let words = r.u8(dec!("WordCount"))?;
    let created = command == Command::NT_CREATE_ANDX && header.is_response();
    let len = match words {
        EXTENDED_WORDS if created => EXTENDED_WORDS_SENT,
        words => words.into(),
    };
    let words_end = r.pos().saturating_add(2 * len);
    let place = Place { base, unicode: header.is_unicode(), words, words_end };
    if words == 0 && header.is_response() {
        bytes(r, |_| Ok(()))?;
        return Ok((Body::Empty, None));
    }
    let next = if command.is_andx() { andx(r, place)? } else { None };
    let body = if header.is_response() {
        response(r, place, command)?
    } else {
        request(r, place, command)?
    };
    Ok((body, next))
}

/// 2.2.3.4: the words that all commands begin with which others may follow.
fn andx<S: Sink>(r: &mut Reader<'_, '_, S>, place: Place) -> Result<Option<Next>, Stop> {
    let left = place.words_end.saturating_sub(r.pos());
    let (at, command, offset) = r.within(left, "WordCount", |r| {
        let command = Command(r.u8(named!("AndXCommand", Command::NAMES))?);
        r.u8(dec!("AndXReserved"))?;
        let at = r.pos();
        Ok((at, command, u32::from(r.u16(dec!("AndXOffset"))?)))
    })?;
    if command == Command::NO_ANDX_COMMAND {
        return Ok(None);
    }
    // Each block lies behind the words of the one before it, so the chain ends.
    if place.base.saturating_add(offset) < place.words_end {
        return Err(Stop::malformed(at, format!("AndXOffset {offset} points back")));
    }
    Ok(Some(Next { command, offset }))
}

fn request<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    place: Place,
    command: Command,
) -> Result<Body, Stop> {
    Ok(match command {
        Command::NEGOTIATE => logon::negotiate(r, place).map(|()| Body::Negotiate)?,
        Command::SESSION_SETUP_ANDX => Body::SessionSetup(logon::session_setup(r, place)?),
        Command::LOGOFF_ANDX => other(r, place).map(|()| Body::Logoff)?,
        Command::TREE_CONNECT => Body::TreeConnect(connect::connect(r, place)?),
        Command::TREE_CONNECT_ANDX => Body::TreeConnect(connect::connect_andx(r, place)?),
        Command::TREE_DISCONNECT => other(r, place).map(|()| Body::TreeDisconnect)?,
        Command::OPEN => Body::Open(files::open(r, place)?),
        Command::OPEN_ANDX => Body::Open(files::open_andx(r, place)?),
        Command::NT_CREATE_ANDX => Body::Open(files::nt_create(r, place)?),
        Command::CLOSE => Body::Close(files::close(r, place)?),
        Command::READ => Body::Read(io::read(r, place)?),
        Command::READ_ANDX => Body::Read(io::read_andx(r, place)?),
        Command::WRITE => Body::Write(io::write(r, place)?),
        Command::WRITE_ANDX => Body::Write(io::write_andx(r, place)?),
        Command::WRITE_AND_CLOSE => Body::Write(io::write_and_close(r, place)?),
        Command::TRANSACTION => Body::Transaction(transaction::request(r, place)?),
        Command::TRANSACTION_SECONDARY => {
            Body::TransactionSecondary(transaction::secondary(r, place)?)
        }
        _ => other(r, place).map(|()| Body::Other)?,
    })
}

fn response<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    place: Place,
    command: Command,
) -> Result<Body, Stop> {
    Ok(match command {
        Command::NEGOTIATE => Body::Negotiated(logon::negotiated(r, place)?),
        Command::SESSION_SETUP_ANDX => Body::SessionSetUp(logon::session_set_up(r, place)?),
        Command::LOGOFF_ANDX => other(r, place).map(|()| Body::Logoff)?,
        Command::TREE_CONNECT => Body::TreeConnected(connect::connected(r, place)?),
        Command::TREE_CONNECT_ANDX => Body::TreeConnected(connect::connected_andx(r, place)?),
        Command::OPEN => Body::Opened(files::opened(r, place)?),
        Command::OPEN_ANDX => Body::Opened(files::opened_andx(r, place)?),
        Command::NT_CREATE_ANDX => Body::Opened(files::nt_created(r, place)?),
        Command::READ => Body::ReadAnswer(io::read_answer(r, place)?),
        Command::READ_ANDX => Body::ReadAnswer(io::read_andx_answer(r, place)?),
        Command::WRITE | Command::WRITE_AND_CLOSE => {
            io::written(r, place).map(|()| Body::Written)?
        }
        Command::WRITE_ANDX => io::written_andx(r, place).map(|()| Body::Written)?,
        // All responses of a transaction have the number of the command that began it.
        Command::TRANSACTION | Command::TRANSACTION_SECONDARY => {
            Body::TransactionAnswer(transaction::response(r, place)?)
        }
        _ => other(r, place).map(|()| Body::Other)?,
    })
}

/// A block whose fields nobody asks for.
fn other<S: Sink>(r: &mut Reader<'_, '_, S>, place: Place) -> Result<(), Stop> {
    place.words(r, |_| Ok(()))?;
    bytes(r, |_| Ok(()))
}
