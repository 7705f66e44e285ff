//! The fields every call has, in one table: what they are called, what they are, how they are read.
//!
//! The first name is that of the JSON record; the others are Wireshark's. What the parameters of an
//! interface are called comes from its IDL, see `argument.rs`.

use std::borrow::Cow;
use std::net::IpAddr;

use super::Subject;
use super::argument::{hides_request, hides_response};
use super::item::{Item, Kind};
use crate::bytes::{Ends, Order};
use crate::call::{Call, Outcome, Party, PipeUse, Readable};
use crate::report::json;
use crate::rpc::Message;
use crate::rpc::names::{FAULTS, name};

/// A field.
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) also: &'static [&'static str],
    pub(super) kind: Kind,
    pub(super) what: &'static str,
    pub(super) words: Words,
    pub(super) read: Read,
}

/// Which words a field can say, where they are known before a call is.
#[derive(Clone, Copy)]
pub(super) enum Words {
    /// Any.
    Any,
    /// One of these.
    These(&'static [&'static str]),
    /// The method of an interface that is known.
    Methods,
    /// The name of an interface that is known.
    Interfaces,
    /// The name of a status, or, for a number, the status.
    Statuses,
    /// The name of a fault, or, for a number, the fault.
    Faults,
}

/// How a field is read.
#[derive(Clone, Copy)]
pub(super) enum Read {
    /// It has one value at most.
    One(for<'a> fn(&Subject<'a>) -> Option<Item<'a>>),
    /// It may have several.
    Many(for<'a> fn(&Subject<'a>, &mut dyn FnMut(Item<'a>))),
}

const OUTCOMES: &[&str] = &["ok", "failed", "fault", "no_response", "no_request", "unknown"];
const STUBS: &[&str] = &["clear", "unsealed", "sealed", "truncated", "lost", "malformed", "absent"];

/// A field with one value.
const fn one(
    name: &'static str,
    also: &'static [&'static str],
    kind: Kind,
    what: &'static str,
    read: for<'a> fn(&Subject<'a>) -> Option<Item<'a>>,
) -> Known {
    Known { name, also, kind, what, words: Words::Any, read: Read::One(read) }
}

/// A field with several values.
const fn many(
    name: &'static str,
    also: &'static [&'static str],
    kind: Kind,
    what: &'static str,
    read: for<'a> fn(&Subject<'a>, &mut dyn FnMut(Item<'a>)),
) -> Known {
    Known { name, also, kind, what, words: Words::Any, read: Read::Many(read) }
}

impl Known {
    const fn of(self, words: Words) -> Self {
        Self { words, ..self }
    }

    /// Whether what it says of a call may be another thing in truth, because part of the call cannot
    /// be read; `found` says whether it says anything.
    pub(super) fn is_hidden(&self, call: &Call, found: bool) -> bool {
        match self.name {
            "interface.uuid" | "interface.version" | "interface.name" | "syntax" | "grade" => {
                call.rpc.interface.is_none()
            }
            "method" => call.rpc.interface.is_none() || call.rpc.opnum.is_none(),
            "opnum" => call.rpc.opnum.is_none(),
            "elapsed" | "elapsed_ms" | "fault" | "fault.name" => call.rpc.response.is_none(),
            "status" | "status.name" => !found && hides_response(call),
            "outcome" => call.status.is_none() && hides_response(call),
            "request" => hides_request(call),
            "response" => hides_response(call),
            "client.name" | "server.name" | "pipe" | "smb.dialect" | "smb2.dialect"
            | "smb.user" | "smb2.acct" | "smb2.domain" | "auth.principal" => !found,
            _ => false,
        }
    }
}

/// All of them.
pub(super) static KNOWN: &[Known] = &[
    one("n", &[], Kind::Number, "number of the call", |s| Some(count(s.call.rpc.n))),
    many(
        "frames",
        &["frame.number"],
        Kind::Number,
        "numbers of all frames that carried it",
        |s, give| both(s).for_each(|message| frames(Some(message), give)),
    ),
    many(
        "frames.request",
        &["dcerpc.request_in"],
        Kind::Number,
        "numbers of the frames that carried the request",
        |s, give| frames(s.call.rpc.request.as_ref(), give),
    ),
    many(
        "frames.response",
        &["dcerpc.response_in"],
        Kind::Number,
        "numbers of the frames that carried the response",
        |s, give| frames(s.call.rpc.response.as_ref(), give),
    ),
    many("files", &[], Kind::Text, "names of the inputs its frames are from", |s, give| {
        for file in s.files() {
            give(Item::Text(Cow::Borrowed(file)));
        }
    }),
    one("time", &[], Kind::Time, "when the request was complete", |s| {
        Some(Item::Time(s.call.time))
    }),
    many(
        "frame.time",
        &[],
        Kind::Time,
        "when the request and when the response was complete",
        |s, give| both(s).for_each(|message| give(Item::Time(message.time))),
    ),
    many("frame.time_epoch", &[], Kind::Seconds, "the same, in seconds since 1970", |s, give| {
        both(s).for_each(|message| give(Item::Seconds(message.time.nanos())));
    }),
    one("elapsed", &["dcerpc.time"], Kind::Seconds, "from the request to the response", |s| {
        s.call.elapsed.map(Item::Seconds)
    }),
    one("elapsed_ms", &[], Kind::Milliseconds, "the same, in milliseconds", |s| {
        s.call.elapsed.map(Item::Milliseconds)
    }),
    one("client.ip", &[], Kind::Address, "address of who asked", |s| Some(ip(&s.call.client))),
    one("client.port", &[], Kind::Number, "port of who asked", |s| Some(port(&s.call.client))),
    one("client.name", &["smb2.host"], Kind::Text, "name of who asked", |s| {
        text(s.call.client.name.as_deref())
    }),
    one("server.ip", &[], Kind::Address, "address of who answers", |s| Some(ip(&s.call.server))),
    one("server.port", &[], Kind::Number, "port of who answers", |s| Some(port(&s.call.server))),
    one("server.name", &[], Kind::Text, "name of who answers", |s| {
        text(s.call.server.name.as_deref())
    }),
    many("ip.addr", &["ip.host"], Kind::Address, "both addresses, IPv4 or IPv6", |s, give| {
        for ends in ends(s) {
            give(Item::Address(ends.client.ip()));
            give(Item::Address(ends.server.ip()));
        }
    }),
    many("ip.src", &[], Kind::Address, "who sent the request, who the response", |s, give| {
        sent(s, |from, _| give(Item::Address(from.0)));
    }),
    many("ip.dst", &[], Kind::Address, "who got the request, who the response", |s, give| {
        sent(s, |_, to| give(Item::Address(to.0)));
    }),
    many("ipv6.addr", &[], Kind::Address, "both addresses, where they are IPv6", |s, give| {
        for end in ends(s)
            .flat_map(|ends| [ends.client, ends.server])
            .filter(std::net::SocketAddr::is_ipv6)
        {
            give(Item::Address(end.ip()));
        }
    }),
    many("tcp.port", &[], Kind::Number, "both ports", |s, give| {
        for ends in ends(s) {
            give(count(ends.client.port()));
            give(count(ends.server.port()));
        }
    }),
    many("tcp.srcport", &[], Kind::Number, "ports the messages came from", |s, give| {
        sent(s, |from, _| give(count(from.1)));
    }),
    many("tcp.dstport", &[], Kind::Number, "ports the messages went to", |s, give| {
        sent(s, |_, to| give(count(to.1)));
    }),
    one("transport", &[], Kind::Text, "what carried it", |s| {
        text(Some(json::transport_word(s.call)))
    })
    .of(Words::These(&["ncacn_np", "ncacn_ip_tcp"])),
    one("pipe", &["smb2.filename", "smb.file"], Kind::Text, "name of the pipe", |s| {
        text(s.call.pipe()?.name.as_deref())
    }),
    one("smb", &[], Kind::Presence, "a named pipe carried it, over any version of SMB", |s| {
        s.call.pipe().map(|_| Item::Present)
    }),
    one("smb2", &[], Kind::Presence, "a named pipe over SMB 2 or 3 carried it", |s| {
        s.call.pipe().filter(|pipe| !is_smb1(pipe)).map(|_| Item::Present)
    }),
    one("smb.dialect", &[], Kind::Text, "SMB dialect, such as 3.1.1", |s| {
        text(s.call.pipe()?.dialect.as_deref())
    }),
    one("smb2.dialect", &[], Kind::Number, "SMB dialect, such as 0x0311", |s| {
        let pipe = s.call.pipe().filter(|pipe| !is_smb1(pipe))?;
        let digits: String = pipe.dialect.as_deref()?.split('.').collect();
        Some(Item::Hex(i128::from_str_radix(&digits, 16).ok()?, 4))
    }),
    one("smb.session_id", &["smb2.sesid"], Kind::Number, "SMB SessionId", |s| {
        Some(Item::Hex(s.call.pipe()?.session_id.into(), 16))
    }),
    one("smb.tree_id", &["smb2.tid"], Kind::Number, "SMB TreeId", |s| {
        s.call.pipe()?.tree_id.map(count)
    }),
    one("smb.file_id", &[], Kind::Text, "SMB FileId, of SMB 1 the FID", |s| {
        text(s.call.pipe()?.file_id.as_deref())
    }),
    one("smb2.fid", &[], Kind::Guid, "SMB2 FileId", |s| {
        s.call.pipe()?.file_id.as_deref()?.parse().ok().map(Item::Guid)
    }),
    one("smb.encrypted", &[], Kind::Boolean, "whether SMB was encrypted", |s| {
        Some(Item::Boolean(s.call.pipe()?.encrypted))
    }),
    one("smb.signed", &["smb2.flags.signature"], Kind::Boolean, "whether SMB was signed", |s| {
        Some(Item::Boolean(s.call.pipe()?.signed))
    }),
    one("smb.user", &[], Kind::Text, "who is logged on: DOMAIN\\user", |s| {
        text(s.call.pipe()?.user.as_deref())
    }),
    one("smb2.acct", &[], Kind::Text, "who is logged on, without the domain", |s| {
        let user = s.call.pipe()?.user.as_deref()?;
        text(user.rsplit('\\').next())
    }),
    one("smb2.domain", &[], Kind::Text, "domain of who is logged on", |s| {
        text(s.call.pipe()?.user.as_deref()?.split_once('\\').map(|(domain, _)| domain))
    }),
    one("auth.type", &[], Kind::Text, "security provider", |s| {
        text(Some(json::auth_words(&s.call.rpc.auth).0))
    })
    .of(Words::These(&["none", "ntlm", "spnego", "kerberos", "netlogon", "other"])),
    one("auth.mechanism", &[], Kind::Text, "mechanism the provider chose", |s| {
        text(json::mechanism_word(&s.call.rpc.auth))
    })
    .of(Words::These(&["ntlm", "kerberos"])),
    one("auth.level", &[], Kind::Text, "authentication level", |s| {
        text(Some(json::auth_words(&s.call.rpc.auth).1))
    })
    .of(Words::These(&["none", "connect", "call", "packet", "integrity", "privacy"])),
    one("auth.principal", &[], Kind::Text, "who the client says it is", |s| {
        text(s.call.rpc.auth.principal.as_deref())
    }),
    one("dcerpc.auth_type", &[], Kind::Number, "security provider, by its number", |s| {
        Some(s.call.rpc.auth.auth_type).filter(|n| *n != 0).map(count)
    }),
    one("dcerpc.auth_level", &[], Kind::Number, "authentication level, by its number", |s| {
        let auth = &s.call.rpc.auth;
        (auth.auth_type != 0).then(|| count(auth.level))
    }),
    one("stub.request", &[], Kind::Text, "how much of the request could be read", |s| {
        text(Some(s.call.request.readable.word()))
    })
    .of(Words::These(STUBS)),
    one("stub.response", &[], Kind::Text, "how much of the response could be read", |s| {
        text(Some(s.call.response.readable.word()))
    })
    .of(Words::These(STUBS)),
    one("stub_bytes.request", &[], Kind::Number, "octets of the request's stub", |s| {
        Some(count(s.call.request.bytes))
    }),
    one("stub_bytes.response", &[], Kind::Number, "octets of the response's stub", |s| {
        Some(count(s.call.response.bytes))
    }),
    one(
        "dcerpc.encrypted_stub_data",
        &[],
        Kind::Presence,
        "the request or the response is sealed",
        |s| {
            let stubs = [&s.call.request, &s.call.response];
            stubs.iter().any(|stub| stub.readable == Readable::Sealed).then_some(Item::Present)
        },
    ),
    one("syntax", &[], Kind::Text, "transfer syntax", |s| text(json::syntax_word(s.call)))
        .of(Words::These(&["ndr", "ndr64"])),
    one("dcerpc.drep.byteorder", &[], Kind::Number, "1 little-endian, 0 big-endian", |s| {
        let message = both(s).next()?;
        Some(count(u8::from(message.order == Order::Little)))
    }),
    one("dcerpc", &[], Kind::Presence, "DCE/RPC: every call", |_| Some(Item::Present)),
    one("interface.uuid", &["dcerpc.cn_bind_to_uuid"], Kind::Guid, "its interface", |s| {
        s.call.rpc.interface.map(|syntax| Item::Guid(syntax.uuid))
    }),
    one("interface.version", &[], Kind::Text, "version of its interface, such as 1.0", |s| {
        let syntax = s.call.rpc.interface?;
        Some(Item::Text(Cow::Owned(json::version(syntax))))
    }),
    one("interface.name", &[], Kind::Text, "name of its interface", |s| {
        text(s.call.interface_name())
    })
    .of(Words::Interfaces),
    one("object", &["dcerpc.obj_id"], Kind::Guid, "object UUID of the request", |s| {
        s.call.rpc.object.map(Item::Guid)
    }),
    one("opnum", &["dcerpc.opnum"], Kind::Number, "number of the operation", |s| {
        s.call.rpc.opnum.map(count)
    })
    .of(Words::Methods),
    one("method", &[], Kind::Text, "name of the operation", |s| text(s.call.method()))
        .of(Words::Methods),
    one("call_id", &["dcerpc.cn_call_id"], Kind::Number, "call_id", |s| {
        Some(count(s.call.rpc.call_id))
    }),
    one("context_id", &["dcerpc.cn_ctx_id"], Kind::Number, "presentation context", |s| {
        s.call.rpc.context_id.map(count)
    }),
    many("dcerpc.pkt_type", &[], Kind::Number, "0 request, 2 response, 3 fault", |s, give| {
        if s.call.rpc.request.is_some() {
            give(count(0u8));
        }
        if s.call.rpc.response.is_some() {
            give(count(if s.call.fault().is_some() { 3u8 } else { 2 }));
        }
    }),
    one("request", &[], Kind::Presence, "parameters of the request could be read", |s| {
        s.call.request.decoded.as_ref().map(|_| Item::Present)
    }),
    one("response", &[], Kind::Presence, "parameters of the response could be read", |s| {
        s.call.response.decoded.as_ref().map(|_| Item::Present)
    }),
    one("status", &["status.value"], Kind::Number, "what the method returned", |s| {
        s.call.status.map(|status| Item::Hex(status.into(), 8))
    })
    .of(Words::Statuses),
    one("status.name", &[], Kind::Text, "name of what the method returned", |s| {
        text(s.registry.status_name(s.call.interface.as_deref(), s.call.status?))
    })
    .of(Words::Statuses),
    one("fault", &["fault.value", "dcerpc.cn_status"], Kind::Number, "status of the fault", |s| {
        s.call.fault().map(|status| Item::Hex(status.into(), 8))
    })
    .of(Words::Faults),
    one("fault.name", &[], Kind::Text, "name of the fault", |s| {
        text(name(FAULTS, s.call.fault()?))
    })
    .of(Words::Faults),
    one("outcome", &[], Kind::Text, "how it went", |s| text(Some(Outcome::word(s.call.outcome))))
        .of(Words::These(OUTCOMES)),
    one("grade", &[], Kind::Text, "how well its interface is known", |s| {
        text(Some(json::grade_word(s.call)))
    })
    .of(Words::These(&["typed", "idl", "raw"])),
];

/// The field of this name, in whatever case.
pub(super) fn known(name: &str) -> Option<&'static Known> {
    let is = |other: &&str| other.eq_ignore_ascii_case(name);
    KNOWN.iter().find(|known| is(&known.name) || known.also.iter().any(is))
}

fn count(n: impl Into<i128>) -> Item<'static> {
    Item::Number(n.into())
}

fn text(text: Option<&str>) -> Option<Item<'_>> {
    text.map(|text| Item::Text(Cow::Borrowed(text)))
}

fn ip(party: &Party) -> Item<'static> {
    Item::Address(party.addr.ip())
}

fn port(party: &Party) -> Item<'static> {
    count(party.addr.port())
}

/// The messages of a call, as far as they were seen.
fn both<'a>(subject: &Subject<'a>) -> impl Iterator<Item = &'a Message> + use<'a> {
    let rpc = &subject.call.rpc;
    rpc.request.iter().chain(&rpc.response)
}

fn frames<'a>(message: Option<&Message>, give: &mut dyn FnMut(Item<'a>)) {
    for frame in message.into_iter().flat_map(|message| &message.frames) {
        give(count(frame.0));
    }
}

/// The connections that carried a call: one, or two where SMB spread it.
fn ends<'a>(subject: &Subject<'a>) -> impl Iterator<Item = Ends> + use<'a> {
    let mut seen: Option<Ends> = None;
    both(subject).map(|message| message.ends).filter(move |ends| seen.replace(*ends) != Some(*ends))
}

/// From where to where each message went.
fn sent(subject: &Subject<'_>, mut give: impl FnMut((IpAddr, u16), (IpAddr, u16))) {
    let rpc = &subject.call.rpc;
    if let Some(Message { ends: Ends { client, server }, .. }) = &rpc.request {
        give((client.ip(), client.port()), (server.ip(), server.port()));
    }
    if let Some(Message { ends: Ends { client, server }, .. }) = &rpc.response {
        give((server.ip(), server.port()), (client.ip(), client.port()));
    }
}

/// Whether the dialect is older than 2.
fn is_smb1(pipe: &PipeUse) -> bool {
    let dialect = pipe.dialect.as_deref();
    dialect.is_some_and(|dialect| !dialect.starts_with(['2', '3']))
}
