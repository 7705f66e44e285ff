//! What a scenario says, before anybody knows what its words mean.

use crate::bytes::Side;

/// A word and where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// Octets of the source from its beginning to the end of the file.
    pub(super) left: usize,
}

/// A statement and where it begins.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) left: usize,
    pub(super) kind: Kind,
}

/// One statement.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// `( … ) x3`
    Group { body: Vec<Statement>, times: u32 },
    /// `A:4(S1)=0`
    Call(Box<CallText>),
    /// `A logon refused STATUS_LOGON_FAILURE`, `wait 5s`, `smb 3.0`: words up to the end.
    Words(Vec<Word>),
}

/// A call, or one of its two halves.
#[derive(Clone, Debug)]
pub(super) struct CallText {
    pub(super) lost: Vec<Lost>,
    pub(super) place: Place,
    /// Numbers or names; several are several calls.
    pub(super) methods: Vec<Word>,
    /// `None` where no parentheses are, which tells the answer to a pending call from a call.
    pub(super) args: Option<ArgsText>,
    pub(super) answer: Option<AnswerText>,
    /// What is between request and answer, in nanoseconds, where it is said.
    pub(super) delay: Option<u64>,
    /// It is said that there is no answer (yet).
    pub(super) waits: bool,
    /// The stub is not readable.
    pub(super) sealed: bool,
    /// Whose message is changed on its way.
    pub(super) tampered: Option<Side>,
    pub(super) times: u32,
    /// `object=none`, `max=2`: what is said of an object call besides.
    pub(super) more: Vec<(Word, ValueText)>,
}

/// Who calls, from which connection, whom.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub(super) client: Word,
    pub(super) line: Option<LineText>,
    /// An address of the client, or the server: `A@10.0.0.1`, `A@FS1`.
    pub(super) at: Option<Word>,
    /// The server: `A->FS1`.
    pub(super) server: Option<Word>,
}

impl Place {
    /// Whether it says which server is called.
    pub(super) fn names_server(&self) -> bool {
        let named = |at: &Word| at.text.parse::<std::net::IpAddr>().is_err();
        self.server.is_some() || self.at.as_ref().is_some_and(named)
    }
}

/// One of several connections of a client to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineText {
    /// `A#2`
    Number(u8),
    /// `A#new`
    New,
}

/// What is in the parentheses of a call.
#[derive(Clone, Debug)]
pub(super) enum ArgsText {
    /// Arguments, some with names.
    Named(Vec<(Option<Word>, ValueText)>),
    /// The octets of the stub.
    Stub(Word),
    /// Any octets: the stub is not readable.
    Sealed,
}

/// How a call is answered.
#[derive(Clone, Debug)]
pub(super) enum AnswerText {
    /// A status, and results where they are said.
    Returns { status: Word, results: Vec<ValueText> },
    /// A fault.
    Fault(Word),
    /// An error of the pipe.
    Pipe(Word),
    /// The octets of a response.
    Stub(Word),
}

/// A value.
#[derive(Clone, Debug)]
pub(super) enum ValueText {
    /// `S1`, `0x10`, `\\fs\d`
    Bare(Word),
    /// `'FS1'`
    Quoted(Word),
    /// `{set=S1, copy=C1}`
    Record(Vec<(Word, ValueText)>, usize),
    /// `[1, 2]`
    List(Vec<ValueText>, usize),
    /// `(VA,VB)`, `{S1, status=0}`: values, some with names.
    Mixed(Vec<(Option<Word>, ValueText)>, usize),
    /// `e1{refs=1}`: an object by its name, and what is said of it.
    Made(Word, Vec<(Option<Word>, ValueText)>),
    /// `error 'text'`: the text of an error that comes along.
    Error(Word),
    /// `tag 2`: the discriminant of a union, which is otherwise that of the request.
    Tag(Word),
}

impl ValueText {
    pub(super) fn left(&self) -> usize {
        match self {
            Self::Bare(word)
            | Self::Quoted(word)
            | Self::Tag(word)
            | Self::Made(word, _)
            | Self::Error(word) => word.left,
            Self::Record(_, left) | Self::List(_, left) | Self::Mixed(_, left) => *left,
        }
    }
}

/// What the capture does not have of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// Every frame of the request.
    Request,
    /// Every frame of the answer.
    Answer,
    /// Frames of the call by number, from 1.
    Frames(u32, u32),
}
