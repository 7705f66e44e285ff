//! Conversations as text, turned into captures.
//!
//! Takes the text of a scenario and the registry of interfaces, and writes a pcapng file: Ethernet,
//! IP, TCP, SMB 2 or 3, DCE/RPC, NDR or NDR64; names and tickets before that. It knows nothing of how captures are read.
//!
//! ```text
//!  text ─grammar─► statements ─resolve─► steps ─play─► session, association ─wire─► frames ─film─► file
//! ```
//!
//! The same text gives the same octets: what a sender draws at random (GUIDs, sequence numbers,
//! challenges, signatures) is computed from names and numbers, and the clock is the scenario's own.
//! Signatures are noise and sealed stubs are noise, unless the scenario has a secret: then they are
//! what they should be, and whoever has the secret opens them.
//!
//! # The language
//!
//! ```text
//! # Statements end with the line or with a semicolon. What is not said is done as Windows does it:
//! # connect, negotiate, log on, connect to IPC$, open the pipe, bind.
//! smb 3.1.1; ndr64; channels 3; trailer on
//! A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\fs\d)=0->C1
//! wait 190s
//! A:12(S1,to=1800000)=MISMATCH            (the set is gone)
//! A closes
//! ```
//!
//! A text has at most [`MAX_TEXT`] octets and, repetitions counted, [`MAX_STEPS`] steps and
//! [`MAX_WRITTEN`] octets; a capture has at most [`MAX_OCTETS`]. Words of the language may be in any case. `#` behind a blank begins
//! a comment; a remark in parentheses may end a statement.
//!
//! ## Calls
//!
//! `CLIENT:METHOD(ARGUMENTS)=ANSWER->RESULTS`
//!
//! | part | is |
//! |---|---|
//! | `A` | a client, by any name; `A@10.0.0.7` from that address (IPv6 in brackets), `A->FS1` or `A@FS1` to that server, `A#2` on its second line to it, `A#new` on one more (`A on a new connection`, `new conn: A`). A line is a session: its connections, its logon, its pipes. The next statement of the client goes on there |
//! | `4` | an opnum, or the method's name, of the client's interface; `mgmt.0` of another; `4,5,6` are several calls |
//! | `(S1,to=60000)` | arguments in the IDL's order or by name, the IDL's or the short one (below). What FSRVP leaves out is filled in; without parentheses, everything. `(stub=8ae31371)`: the octets of the stub. `(enc)`: the stub is sealed |
//! | `=0` | the status: a number, a name (`FSRVP_E_BAD_STATE`), or as much of its end as tells it from others (`BAD_STATE`). `=fault nca_s_op_rng_error`: a fault. `=pipe STATUS_PIPE_BROKEN`: the pipe fails instead. `=stub 00000000`: the octets of the response |
//! | `->S1` | results in the IDL's order, or `{name=value, …}`. What is left out is what a server would say: zeros with an error |
//! | `after 60 s` | how long the answer takes, before or behind it (`takes 60 s`, `at +60 s`) |
//! | `unanswered` | there is no answer (`outstanding`, `pending`, `sent`, `no answer`, `...`), and the conversation goes on, after `unanswered 180 s` when that has passed. `A:4=0` later, without parentheses, is the answer to such a call, if one waits |
//! | `tampered request`, `tampered answer` | an octet of the first signature of that message is changed on its way: of RPC, or of SMB where RPC signs nothing |
//! | `x6` | six times; `( … ) x6` repeats several statements |
//!
//! `lose request of A:4(S1)=0` leaves the request out of the capture, `lose answer of …` the answer,
//! `lose frames 1-2 of …` frames of the call by number; several are separated by commas.
//!
//! Short names: `ctx` Context, `cid` `ClientShadowCopySetId`, `ccid` `ClientShadowCopyId` (given by name
//! only, so `A:3(S1,\\fs\d)` begins with the set), `set`, `copy`, `share`, `to`
//! `TimeOutInMilliseconds`, `L` Level, `min`, `max`, `supported`, `owner`, `present`, `compat`, and of
//! a share mapping `unc` `ShareNameUNC`, `exposed` `ShadowCopyShareName`, `ts` `CreationTimestamp`.
//! `A:10(…)=0->\\fs\d@{C1}` gives the exposed name; `->{exposed=null}` members; `->null` a null
//! mapping; `->tag 2` a union with that discriminant.
//!
//! Values: numbers, decimal or `0x`; names of flags and enumerations; `TRUE`, `FALSE`; `null`; GUIDs,
//! `nil`, or a symbol, a letter and a number, which is the same GUID in every scenario; texts, in
//! quotes where they have blanks or commas, in which `{C1}` is the GUID of the symbol in braces (`{c1}` in
//! lower case); times (`14:00:10Z`, RFC 3339); `{member=value}`, `[element, element]`.
//!
//! ## Time
//!
//! `wait 190s` (`us`, `ms`, `s`, `min`, `h`; also `after 190s`): nobody says anything.
//! `at 12:30:00`: it gets to be this time. `start 2026-01-31T12:00:00Z`: when the conversation
//! begins, at the top of the file.
//!
//! ## Settings
//!
//! Alone, for all clients from there on; behind the name of a client, for it. A line keeps what it
//! was opened with, an association what it was bound with.
//!
//! | setting | says | without |
//! |---|---|---|
//! | `smb 2.0.2` `2.1` `3.0` `3.0.2` `3.1.1` | the dialect | 3.1.1 |
//! | `tcp 49667` | RPC directly over TCP, to this port | SMB |
//! | `dcom`, `dcom 50001` | object calls: DCOM on port 135, objects on this port (below) | SMB |
//! | `ndr`, `ndr64` | the transfer syntax the server accepts | NDR |
//! | `little-endian`, `big-endian` | byte order of RPC | little |
//! | `auth none`; `auth [spnego] ntlm\|kerberos connect\|call\|packet\|integrity\|privacy` | security of RPC; with Kerberos the logon is Kerberos, too | none; NTLM, integrity |
//! | `trailer on`, `trailer wrong` | the first request of an association ends in a verification trailer; one of another version of the interface | off |
//! | `object on` | requests carry the interface's UUID as object | off |
//! | `channels 3` | TCP connections of the session (SMB 3), one message after the other on the next | 1 |
//! | `io write-read`, `io transceive` | how requests go into the pipe; binds are written and read | transceive |
//! | `fragment 1432` | octets of a PDU at most, from 192 | 4280 |
//! | `segment 536` | octets of a TCP segment's payload at most, from 16 | 1460 |
//! | `ipv4`, `ipv6` | addresses: 10.0.0.1 is the first client, 10.0.1.1 the first server, 10.0.2.1 who knows names and gives tickets | IPv4 |
//! | `signing off` | SMB messages are not signed | on |
//! | `user LAB\backup`, `user anonymous` | who logs on | `LAB\backup` |
//! | `password hunter2` | the password of the user: logons with NTLM prove it, and SMB messages and RPC are signed and sealed with what follows from it | noise |
//! | `key 18:HEX` | the key of the service, of encryption type 17, 18, 19, 20 or 23, for the same with Kerberos | noise |
//! | `pipe NAME` | name of the pipe | the interface's |
//! | `interface NAME` | the interface of calls | FSRVP |
//!
//! ```text
//! # What `vshark --password-file` and `--keytab` open.
//! user LAB\backup; password 'correct horse'; auth spnego ntlm privacy
//! A:0()=0
//! key 17:000102030405060708090a0b0c0d0e0f; auth kerberos privacy
//! B:0()=0
//! ```
//!
//! `server FS1 address 10.0.0.9` and `client A address …` give addresses.
//!
//! ## Events
//!
//! Behind the name of a client; alone, of the client that said something last.
//!
//! | event | is |
//! |---|---|
//! | `name FS2`, `name fs2.lab.test unknown`, with `NXDOMAIN`, `SERVFAIL` or `REFUSED`; `netbios` | the address of a name is asked for and found, or not; by DNS, or NetBIOS |
//! | `ticket cifs/fs2 refused KDC_ERR_S_PRINCIPAL_UNKNOWN`; `udp` | a Kerberos ticket is asked for and not given; over TCP, or UDP |
//! | `connect`, `connect refused`, `connect refused ICMP`, `connect unanswered` | TCP and the negotiation; a server that does not listen; a router that prohibits it; five SYNs in vain, 21 seconds |
//! | `logon`, `logon refused STATUS_LOGON_FAILURE`, `logon refused KRB_AP_ERR_MODIFIED`, `logon guest` | the logon; a Kerberos ticket that the server does not take; a guest's |
//! | `tree \\NODE1\IPC$`, with `refused …` | `TREE_CONNECT`; pipes are opened in the last IPC$ |
//! | `referral \lab\dfs\data`, with `refused …` | DFS is asked where a path leads |
//! | `create`, `create NAME`, with `refused STATUS_OBJECT_NAME_NOT_FOUND` | CREATE of the pipe |
//! | `bind`, with settings, `v3.0`, `abstract syntax UUID`, `level 2`, `auth_type=9`, `no auth` | a bind, on a pipe of its own |
//! | `bind refused REASON`; `bind refused provider_rejection REASON`; `bind fault NAME`; `bind refused STATUS_PIPE_BROKEN`; `bind unanswered` | `bind_nak`; contexts refused; a fault; the pipe fails; nothing |
//! | `write \\fs\d@{C1}`, with `refused …` | CREATE, WRITE and CLOSE of a file of the share |
//! | `close` | CLOSE of the pipes |
//! | `logoff`, `disconnect`, `reset` | LOGOFF; that, and FIN; RST of the client |
//! | `server restart`, `FS1 restart` | its connections are reset, it is a second later, and `ServerStartTime` is then |
//! | `capture from here` | what was sent before is not in the capture |
//! | `mid-capture`, `known-idle start` | changes no frame: says what is known of the server's state when the capture begins |
//!
//! What a scenario leaves open at its end stays open.
//!
//! ## Object calls: DCOM and MS-SCMP
//!
//! ```text
//! # What a backup program does: the volumes, the shadow copies of one of them, and its storage.
//! dcom; auth ntlm integrity
//! A activates ->m1                               # port 135; then, by itself, the port of the objects
//! A:m1.QVSS(P,0x1D)=0->e1                        # methods by short name, name or opnum
//! A:e1.Next(2)=0->[VA,VB]; A:e1.Next(1)=S_FALSE->[]
//! A:m1.QSBV(VA,P)=0->s1; A:s1.Next(8)=S_FALSE->[S1,{S2,count=2,set=X1}]
//! A:s1.Reset()=0; A:s1.Clone()=0->c1; A:c1.Skip(1)=0
//! A:m1.GPMI(P,Diff)=0->d1
//! A:d1.ADD(VA,VB,10GB)=0; A:d1.CHG(VA,VB,20GB)=VSS_E_INSUFFICIENT_STORAGE
//! A:d1.QDAF(VA)=0->e2; A:e2.Next(4)=S_FALSE->[(VA,VB),{VC,VB,max=-1,alloc=2GB,used=1GB}]
//! A:release(e1,e2,s1,c1); A:release(d1); A:release(m1)
//! A disconnect
//!
//! # What is refused, and what goes wrong.
//! A activates =E_ACCESSDENIED; A activates =fault 5; A activates =0x80040154
//! A activates ->m1; A connect unanswered         # nobody answers at the port of the objects
//! A bind IVssEnumObject refused provider_rejection   # alter_context, where a connection is there
//! A:m1.QVSS(P,0x1D)=E_ACCESSDENIED; A:m1.QVSS(P,0x1D)=fault 5; A:m1.QVSS(nil,0x1D)=0->null
//! A:m1.QVSS(P,0x1D)=0->e1; A:m1.QVSS(P,0x1D)=0->e2{ipid=e1}; A:m1.QVSS(P,0x1D)=0->e3{iid=EnumO}
//! A:e1.Next(4)=0->[VA,VB] max=2 fetched=3; A:e1.Next(1)=0->[{Type=1,disc=3}]
//! A:e1.2()=0; A:e1.Reset()=0 extra=00000000; A:m1.6()=fault nca_s_op_rng_error
//! A:e1.Next(1)=fault 0x80010108; A:m1.QVSS(P,0x1D)=E_INVALIDARG error='no such provider'
//! A:m1.QVSS(P,0x1D)=0->e4 object=none; A:e4.Next(1)=S_FALSE->[] on=IVssEnumObject
//!
//! # An object that was issued before the capture began.
//! object e9 IVssEnumMgmtObject; A:e9.Next(1)=0->[VA]; A:?m7.QVSS(P,0x1D)=0->e1
//! ```
//!
//! `dcom`, a setting, alone at the top: RPC over TCP, what belongs to DCOM itself on port 135 and objects
//! on port 49667, or the one of `dcom 50001`. Other settings apply as ever; `smb` and `tcp` end it. With
//! `auth … privacy` object calls are sealed. Connections are opened and interfaces bound by themselves:
//! one connection to a port, `bind` for the first interface and `alter_context` for each further one, with a
//! presentation context each; one more while an answer is waited for, and one for each other `auth`
//! or `user`, so `A auth ntlm privacy` after `A activates` seals the object calls alone.
//! `A#2` has connections of its own.
//!
//! ### Objects
//!
//! An object has a name, a letter and whatever follows, which a client gives it when it is issued:
//! `->m1`. Another client that says the name means its own, or else the last that anybody named so.
//! Each has its own OID and IPID and five public references; all objects of a server have one OXID until
//! `server restart`, after which there is another one. A name that is given again is another object from
//! there on. A call goes to the server of its object, unless the statement names another
//! (`A->FS2:m1.QVSS()`).
//!
//! | written | is |
//! |---|---|
//! | `A activates ->m1` | `RemoteCreateInstance` of `VssSnapshotMgmt` for `IVssSnapshotMgmt` |
//! | `A activates {class=GUID, iids=[Mgmt,IUnknown], level=impersonate, refs=0, towers=[15]} ->m1,u1` | another class, other interfaces (a result for each; `null` is `E_NOINTERFACE`), `ClientImpLevel`, public references, protocols that the exporter's bindings list besides TCP |
//! | `A activates {via=IActivation} ->m1` | `RemoteActivation`; `{via=RemoteGetClassObject} ->f1`, and then `A:f1.CreateInstance(Mgmt)=0->m1` |
//! | `A activates =E_ACCESSDENIED`, `=fault 5`, `unanswered`, `after 3 s` | as with calls; `lose answer of A activates ->m1` |
//! | `A:m1.GPMI(P,Diff)=0->d1` | a call of an object's method |
//! | `object e9 IVssEnumMgmtObject` | an object that nobody saw issued; `from=QVSD` says what it lists, `volume=VA` of which volume, `refs=1`, `ipid=GUID` |
//! | `A:?e9.Next(1)` | the same without saying so first: `?m…` is an `IVssSnapshotMgmt`, `?d…` an `IVssDifferentialSoftwareSnapshotMgmt`, `?e…` an `IVssEnumMgmtObject`, `?s…` an `IVssEnumObject` |
//! | `->null` | no object |
//! | `->e1{iid=IVssEnumObject, refs=1, flags=0x1000}` | another IID in the reference, public references, `SORF_NOPING` |
//! | `->e1{same=e0}`, `->e1{oid=e0}`, `->e1{ipid=e0}`, `->e1{oxid=7}` | the object `e0` again; its OID; its IPID; numbers and GUIDs as well |
//! | `->e1{objref=handler}`, `custom`, `extended` | another kind of `OBJREF` |
//!
//! ### Calls of methods
//!
//! | short | method | arguments, and what is meant where none are said |
//! |---|---|---|
//! | `GPMI` `QVSS` `QSBV` | `GetProviderMgmtInterface`, `QueryVolumesSupportedForSnapshots`, `QuerySnapshotsByVolume` | `(P,Diff)`, `(P,0x1D)`, `(VA,P)` |
//! | `ADD` `CHG` | `AddDiffArea`, `ChangeDiffAreaMaximumSize` | `(VA,VA,10GB)` |
//! | `QVSD` `QDAF` `QDAO` | `QueryVolumesSupportedForDiffAreas`, `QueryDiffAreasForVolume`, `QueryDiffAreasOnVolume` | `(VA)` |
//! | `Next` `Skip` `Reset` `Clone` | of both enumerators | `(1)`, `(1)`, `()`, `(null)` |
//!
//! `P` is the provider of shadow copies, `VA` to `VZ` are volumes: `\\?\Volume{…}\`, the same in every
//! scenario, of which the display name is `A:\`. Interfaces are GUIDs by name, or as `Mgmt`, `Diff`, `EnumM`,
//! `EnumO`. Sizes are numbers or `10GB`, with KB, MB, GB and TB, and may be negative. Texts in quotes are as they
//! stand (`'C:\'`, `''`); `{text='C:\x', terminator=no}` has no terminator, `{text='C:\', max=2}` another
//! `max_count`, `offset=1` another offset; `{units=[67,0]}` are its units. `e1` where a pointer to an interface goes in (`Clone(e1)`) is the object's reference.
//!
//! Behind a call, in any order:
//!
//! | written | is |
//! |---|---|
//! | `object=none`, `object=m1`, `object=GUID` | the object UUID of the request |
//! | `on=IVssEnumObject`, `on=GUID` | the interface of the presentation context it goes on |
//! | `port=135` | the port it goes to |
//! | `this={version=5.6, flags=1, reserved1=1, cid=U1, extensions=[GUID]}` | `ORPCTHIS`; extensions of eight octets, `[]` an empty array of them; `this=none`: there is none. `(stub=…)` is what follows it |
//! | `that={flags=1, extensions=[GUID]}`, `that=none` | `ORPCTHAT`, likewise |
//! | `error='text'`, or `->error 'text'` | the text of an error in `ORPCTHAT` |
//! | `extra=00000000` | octets behind the request's stub |
//! | `level=none`, `level=integrity` | the level of this call's security trailers, on whatever association |
//! | `fetched=2` `max=1` `offset=1` | `pceltFetched`, `max_count` and offset of `rgelt`, where they are not what `->[…]` and `celt` say |
//!
//! ### What `Next` returns
//!
//! `->[VA,VB]` are the elements; none are said is none. An element is written short, in the form that
//! goes with what the enumerator came from; a clone takes that after what it was cloned from.
//!
//! | from | element | left out |
//! |---|---|---|
//! | `QVSS` | `VA`, `{VA, display='C:\'}`, `{name=null, display=''}` | the display name |
//! | `QVSD` | `VA`, `{VA, free=40GB, total=100GB}`, `display` | 40 of 100 GB are free |
//! | `QDAF`, `QDAO` | `(VA,VB)`, `{VA, VB, max=10GB, alloc=2GB, used=1GB}` | those sizes |
//! | `QSBV` | `S1`, `{S1, set=X1, count=1, device='…', vol=VB, orig='…', svc='…', exposed='X:\', path='\data', provider=P, attr=0x2001D, ts=TIME, status=0xC}` | `S1` and its set are the same each time, the volume is the one that was asked for |
//! | any | `{Type=2, DiffVol={VA, free=0}}`, `{Vol=VA}`, `{DiffArea=(VA,VB)}`, `{Snap=S1}`, `{Type=0}` | Type is that of the arm, the arm that of Type |
//! | any | `{Type=1, disc=3}`, `{Type=1, disc=3, DiffArea=(VA,VB)}` | a discriminant that is not Type |
//! | any | `{Type=2, disc=2, Vol=VA}` | one that chooses another arm than the one that follows |
//!
//! ### References and the exporter
//!
//! | written | is |
//! |---|---|
//! | `A:release(e1,m1)` | one `RemRelease` of all public references that were issued and not yet released |
//! | `A:release(e1 x2)`, `A:release({e1,public=0,private=1})` | so many |
//! | `A:addref(e1,3)`, `A:addref({e1,private=1})` | `RemAddRef` |
//! | `A:qi(m1,IVssSnapshotMgmt)=0->m2`, `=E_NOINTERFACE`, `A:qi(m1,[Mgmt,Diff])=S_FALSE->m2,null` | `RemQueryInterface`: another IPID of the same OID |
//! | `A:resolve(m1)=0`, `=OR_INVALID_OXID` | `ResolveOxid2` |
//! | `A:alive()=0` | `ServerAlive2` |
//! | `A:ping(add=[m1,e1])=0->g1`, `A:ping(g1,add=[e2],del=[e1])=0`, `A:simpleping(g1)=OR_INVALID_SET` | `ComplexPing`, which gives a set the name `g1`; `SimplePing` |
//!
//! `A:release(…)` and the others go to the object's server. Without an answer they, and `A activates`, are answered
//! with 0; those that are `unanswered` stay so. All calls may be written out as well:
//! `A:IObjectExporter.SimplePing(pSetId=7)=0`, `A:IVssSnapshotMgmt.4(P,0x1D)` without an object.
//!
//! ### Events of objects
//!
//! `A connect refused`, `unanswered`: of the port of the objects once something was activated there, of port 135 before;
//! `A connect 135 refused`. `A bind IVssEnumObject`, with `v1.0` and what binds have otherwise: `alter_context` where a
//! connection is there, unless it is `A bind new …`; `refused provider_rejection`, `refused REASON` (a `bind_nak`, on a
//! connection of its own), `fault NAME`, `unanswered`. `A disconnect` is FIN of every connection of the line, `A reset` RST.
//! `smb 3.1.1; pipe NAME; object m1 IVssSnapshotMgmt; A:m1.QVSS(P,0x1D)` puts an object call into a named pipe.

mod arguments;
mod association;
mod before;
mod direct;
mod events;
mod film;
mod fsrvp;
mod grammar;
mod guard;
mod lexer;
mod logon;
mod object;
mod play;
mod reach;
mod resolve;
mod results;
mod session;
mod settings;
mod signing;
mod steps;
mod syntax;
mod terms;
mod values;
mod wire;
mod words;
mod written;

use std::io;
use std::rc::Rc;

use crate::bytes::Time;
use crate::idl;
use crate::protocol::{Registry, fsrvp as protocol};
use crate::security::keys::Keyring;
use grammar::Fail;
use resolve::Resolver;
use settings::Settings;
use steps::{Party, Step};

pub use idl::Error;
pub use written::{Answered, Written};

/// Octets of a scenario.
pub const MAX_TEXT: usize = 1 << 20;
/// Steps of a scenario, repetitions counted.
pub const MAX_STEPS: usize = 100_000;
/// Octets of a capture.
pub const MAX_OCTETS: u64 = 256 << 20;
/// Octets of text that are played, repetitions counted.
pub const MAX_WRITTEN: usize = 64 << 20;
/// Clients, and servers.
pub const MAX_PARTIES: usize = 200;
/// 2026-01-15T12:00:00Z
const START: Time = Time::from_secs(1_768_478_400);

/// The language in short, for `vshark scenario --help`.
pub const HELP: &str = include_str!("help.txt");

/// A conversation that can be played.
#[derive(Clone, Debug)]
pub struct Scenario {
    clients: Vec<Party>,
    servers: Vec<Party>,
    steps: Vec<Step>,
    start: Time,
    starts_idle: bool,
}

impl Scenario {
    /// Parses `text`; `file` names it in errors.
    pub fn parse(file: &str, text: &str, registry: &Registry) -> Result<Self, Error> {
        if text.len() > MAX_TEXT {
            let message =
                format!("a scenario has at most {MAX_TEXT} octets, this has {}", text.len());
            return Err(Error::at(file, text, 0, message));
        }
        let statements = grammar::parse(file, text)?;
        let Some(interface) = registry.interface(protocol::UUID, 1) else {
            return Err(Error::at(file, text, 0, "there are no dissectors for FSRVP"));
        };
        let mut resolver = Resolver::new(registry, interface.clone());
        resolver.statements(&statements, 0).map_err(|Fail { left, message }| {
            Error::at(file, text, text.len().saturating_sub(left), message)
        })?;
        Ok(Self {
            clients: resolver.clients.into_iter().map(|client| client.party).collect(),
            servers: resolver.servers,
            steps: resolver.steps,
            start: resolver.start,
            starts_idle: resolver.starts_idle,
        })
    }

    /// Writes the capture, pcapng. The same text gives the same octets.
    pub fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        play::play(self, out)
    }

    /// The secrets in it, which open what it seals.
    pub fn keyring(&self) -> Keyring {
        let mut keys = Keyring::default();
        let mut users: Vec<&Rc<Settings>> = Vec::new();
        for step in &self.steps {
            let settings = match step {
                Step::Call(call) | Step::Answer(call) => &call.settings,
                Step::Event(event) => &event.settings,
                _ => continue,
            };
            // Most steps are of the user of the one before.
            if users.iter().rev().any(|user| user.same_user(settings)) {
                continue;
            }
            let same = |user: &&Rc<Settings>| {
                let of = |of: &Settings| (of.domain.clone(), of.user.clone());
                of(user) == of(settings) && user.secrets.password == settings.secrets.password
            };
            if !users.iter().any(same) {
                settings.keyring(false).into_iter().for_each(|more| keys.add_all(more));
            }
            if !users.iter().any(|user| user.secrets.key == settings.secrets.key) {
                settings.keyring(true).into_iter().for_each(|more| keys.add_all(more));
            }
            users.push(settings);
        }
        keys
    }

    /// Whether the server is known to be idle when the capture begins: `mid-capture` says it is not.
    pub fn starts_idle(&self) -> bool {
        self.starts_idle
    }
}
