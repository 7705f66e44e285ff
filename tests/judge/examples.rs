//! The server of these tests against the sequences of the rule catalogue: what a rule of the server
//! forbids it does not do, and what the rule allows it may do.

use std::collections::BTreeMap;
use std::net::IpAddr;

use vshark::bytes::Guid;
use vshark::call::Call;
use vshark::check::{Blame, Observable, Rule, Severity};
use vshark::ndr::Value;
use vshark::scenario::Scenario;

use crate::read::{self, REGISTRY};
use crate::server::{
    NOT_FOUND, NOT_SUPPORTED, Naming, OK, PASSED, Profile, Server, Share, component, runs,
};
use crate::talk::{Ask, Id, Out, Reply};
use crate::trial::KNOWLEDGE;

/// Rules with an example that the server cannot tell, or tells otherwise, and why.
const APART: [(&str, &[&str]); 8] = [
    (
        "what results say is not looked at",
        &[
            "2.2.1.1-01",
            "2.2.1.1-04",
            "2.2.2.3-01",
            "2.2.3.1-01",
            "2.2.3.1-02",
            "3.1.4.6-17",
            "3.1.4.6-18",
            "3.1.4.6-25",
            "3.1.4.9-05",
            "3.1.4.10-03",
            "3.1.4.10-06",
            "3.1.4.11-13",
            "3.1.4.11-14",
            "3.1.4.11-16",
            "6-04",
        ],
    ),
    (
        "here everybody may do everything",
        &["2.1-05", "3.1.4-05", "3.1.4-07", "3.1.4.1-02", "3.1.4.7-11", "3.1.4.10-10"],
    ),
    ("here a client has one address", &["3.1.1.1-04"]),
    ("note 6 is a habit of Windows", &["3.1.4.3-05", "3.1.4.3-15"]),
    ("here every share is a volume", &["3.1.4.4-10", "3.1.4.4-12"]),
    ("the status after an error of the utility is read as it is written", &["3.1.4.5-16"]),
    ("Windows Server 2012 has its own code", &["3.1.4.11-07"]),
    ("here deadlines are exact", &["3.1.5-02"]),
];

/// GUIDs by the ids that the server knows them by.
#[derive(Default)]
struct Ids {
    known: BTreeMap<Guid, Id>,
    made: u32,
}

impl Ids {
    fn id(&mut self, guid: Guid) -> Id {
        if guid.is_nil() {
            return Id::NIL;
        }
        self.made += 1;
        *self.known.entry(guid).or_insert(Id('?', self.made))
    }
}

fn param<'a>(params: &'a [(std::sync::Arc<str>, Value)], name: &str) -> Option<&'a Value> {
    params.iter().find(|(of, _)| &**of == name).map(|(_, value)| value)
}

/// What a call asks for, if its stub can be read.
fn ask(call: &Call, ids: &mut Ids) -> Option<Ask> {
    let opnum = call.rpc.opnum?;
    if opnum > 12 {
        return Some(Ask::Beyond(opnum));
    }
    let params = &call.request.decoded.as_ref()?.params;
    let number = |name| param(params, name).and_then(Value::as_u32);
    let mut id = |name| Some(ids.id(param(params, name)?.as_guid()?));
    let share = || Some(param(params, "ShareName")?.as_text()?.to_string());
    let timeout = number("TimeOutInMilliseconds");
    Some(match opnum {
        0 => Ask::Version,
        1 => Ask::Context(number("Context")?),
        2 => Ask::Start(id("ClientShadowCopySetId")?),
        3 => Ask::Add {
            ccid: id("ClientShadowCopyId")?,
            set: id("ShadowCopySetId")?,
            share: share()?,
        },
        4 => Ask::Commit { set: id("ShadowCopySetId")?, timeout: timeout? },
        5 => Ask::Expose { set: id("ShadowCopySetId")?, timeout: timeout? },
        6 => Ask::Recovery(id("ShadowCopySetId")?),
        7 => Ask::Abort(id("ShadowCopySetId")?),
        8 => Ask::Supported(share()?),
        9 => Ask::Copied(share()?),
        10 => Ask::Mapping {
            copy: id("ShadowCopyId")?,
            set: id("ShadowCopySetId")?,
            share: share()?,
            level: number("Level")?,
        },
        11 => {
            Ask::Delete { set: id("ShadowCopySetId")?, copy: id("ShadowCopyId")?, share: share()? }
        }
        _ => Ask::Prepare { set: id("ShadowCopySetId")?, timeout: timeout? },
    })
}

/// Whether the server may have said all of this; `None` where that cannot be told.
fn accepts(text: &str) -> Option<bool> {
    let scenario = Scenario::parse("example", text, &REGISTRY).ok()?;
    if !scenario.starts_idle() || text.contains("restart") {
        return None;
    }
    let mut file = Vec::new();
    scenario.write(&mut file).ok()?;
    let calls = read::calls(file);
    let naming = Naming { unc: false, lower: false, hidden: 0 };
    let mut server = Server::new(Profile::Spec, naming, Vec::new());
    let (mut ids, mut clients, mut issued) = (Ids::default(), Vec::<IpAddr>::new(), Vec::new());
    for call in &calls {
        let ms = |nanos: i64| u64::try_from(nanos / 1_000_000).ok();
        let asked = ms(call.time.since(calls[0].time))?;
        let answered = asked + ms(call.elapsed?)?;
        let ask = ask(call, &mut ids)?;
        let address = call.client.addr.ip();
        let who = clients.iter().position(|known| *known == address).unwrap_or_else(|| {
            clients.push(address);
            clients.len() - 1
        });
        // Whether a share is there is not known: all are.
        if let Ask::Add { share, .. } | Ask::Supported(share) | Ask::Copied(share) = &ask
            && server.share(share).is_none()
        {
            let volume = u32::try_from(server.shares.len()).ok()?;
            let name = component(share).to_lowercase();
            server.shares.push(Share { name, volume, refused: None });
        }
        server.tick(asked);
        if matches!(ask, Ask::Beyond(_)) {
            if call.fault().is_none() {
                return Some(false);
            }
            continue;
        }
        let status = call.status?;
        let shares = matches!(ask, Ask::Add { .. } | Ask::Supported(_) | Ask::Copied(_));
        if shares && matches!(status, NOT_FOUND | NOT_SUPPORTED) {
            continue;
        }
        let replies = server.replies(asked, who, &ask);
        let of_utility = |reply: &Reply| PASSED.contains(&reply.status);
        let passed = status >> 16 == 0x8004 && status != 0x8004_2301 && status < 0x8004_2500;
        let like =
            |(_, reply): &&(u64, Reply)| reply.status == status || passed && of_utility(reply);
        let Some((_, legal)) = replies.iter().find(like) else { return Some(false) };
        let mut reply = Reply { status, out: legal.out.clone() };
        if let (OK, Ask::Start(_) | Ask::Add { .. }) = (status, &ask) {
            let name = if ask.opnum() == 2 { "pShadowCopySetId" } else { "pShadowCopyId" };
            let guid = param(&call.response.decoded.as_ref()?.params, name)?.as_guid()?;
            if guid.is_nil() || issued.contains(&guid) {
                return Some(false);
            }
            issued.push(guid);
            reply.out = Out::Id(ids.id(guid));
        }
        if runs(&ask, &reply) {
            server.begin(&ask);
        }
        server.end(answered, who, &ask, &reply);
    }
    Some(true)
}

#[test]
fn the_server_keeps_to_the_examples_of_the_catalogue() {
    let (mut told, mut wrong) = (0, Vec::new());
    let servers = |rule: &&Rule| {
        rule.party == Blame::Server && rule.is_checked() && rule.section().0 == "MS-FSRVP"
    };
    for rule in KNOWLEDGE.catalogue.iter().filter(servers) {
        let example = rule.counterexample.as_deref().expect("it is checked");
        if rule.severity == Severity::Error && rule.observable == Observable::Full {
            match accepts(example) {
                Some(true) => wrong.push(format!("{} is not rejected: {example}", rule.id)),
                Some(false) => told += 1,
                None => {}
            }
        }
        let example = rule.near_miss.as_deref().expect("it is checked");
        match accepts(example) {
            Some(true) => told += 1,
            Some(false) => wrong.push(format!("{} is rejected: {example}", rule.id)),
            None => {}
        }
    }
    let apart: Vec<_> = APART.iter().flat_map(|(_, rules)| *rules).collect();
    wrong.retain(|line| !apart.iter().any(|rule| line.starts_with(&format!("FSRVP-{rule} "))));
    println!("{told} examples");
    assert!(told >= 250, "only {told} examples can be told");
    assert!(wrong.is_empty(), "{} of the server's:\n{}", wrong.len(), wrong.join("\n"));
}
