//! [`Ways`]: what kept clients from servers that they never came to: names that are unknown, and
//! Kerberos tickets that were not given. A server that does not answer is known by its address, so
//! that is in its own chart.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::act::{host_of, label};
use super::chart::{Code, Slot, Stage, Symptom};
use crate::bytes::{FrameNo, Time};
use crate::pipeline::{Around, Refuser, What};

/// Ways that are known; beyond it those that are found to be barred are not.
const MAX_WAYS: usize = 1024;
/// Classes of services that SMB is asked for by.
const SMB: [&str; 2] = ["cifs", "host"];
/// Names that machines ask for by themselves.
const BY_ITSELF: [&str; 2] = ["wpad", "isatap"];

/// A way that is barred.
#[derive(Debug)]
pub(super) struct Way {
    /// The name of the server, as it was asked for.
    pub(super) name: String,
    code: Code,
    /// The account, where it was told.
    user: Option<String>,
    frame: Option<FrameNo>,
    time: Time,
    said: String,
}

/// By client, by first label of the server's name, in lower case, and by what bars it.
type Key = (IpAddr, String, Stage);

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Ways {
    /// Added by refusals, up to [`MAX_WAYS`]; removed when the client finds the way.
    all: BTreeMap<Key, Way>,
}

impl Ways {
    /// Takes what happens. True if that says nothing of the server that it names.
    pub(super) fn around(&mut self, around: &Around) -> bool {
        let client = around.client.ip();
        let key = |name: &str, stage| (client, label(name).to_lowercase(), stage);
        match &around.what {
            What::NameUnknown { name, by, .. } => {
                let said = format!("the name {name} is unknown to {by}");
                let (code, user) = (Code::None, None);
                self.bar(key(name, Stage::Name), Way::new(around, name, code, user, said));
                true
            }
            What::NameFound { name, .. } => {
                self.all.remove(&key(name, Stage::Name));
                true
            }
            What::TicketRefused { by: Refuser::Kdc, error } => {
                let service = error.service.as_deref().and_then(|service| service.split_once('/'));
                let smb = service
                    .filter(|(class, _)| SMB.iter().any(|of| of.eq_ignore_ascii_case(class)));
                if let Some((_, name)) = smb {
                    let code = Code::Ticket(error.code.0);
                    let said = format!("no Kerberos ticket for {name}: {}", error.code);
                    let way = Way::new(around, name, code, error.client.clone(), said);
                    self.bar(key(name, Stage::Ticket), way);
                }
                true
            }
            What::TreeConnected { path } => {
                for stage in [Stage::Name, Stage::Ticket] {
                    if let Some(host) = host_of(path) {
                        self.all.remove(&key(&host, stage));
                    }
                }
                false
            }
            _ => false,
        }
    }

    fn bar(&mut self, key: Key, way: Way) {
        if self.all.len() < MAX_WAYS || self.all.contains_key(&key) {
            self.all.entry(key).or_insert(way);
        }
    }

    /// What bars the way of a client to a server of this name.
    pub(super) fn of(&self, client: IpAddr, name: &str) -> Option<Symptom> {
        let name = label(name).to_lowercase();
        let stages = [Stage::Name, Stage::Ticket].into_iter();
        let mut found = stages.filter_map(|stage| {
            let key = (client, name.clone(), stage);
            self.all.get(&key).map(|way| way.symptom(client, stage))
        });
        found.next()
    }

    /// All that are barred, to servers that somebody may have meant, each with its name. Where a client
    /// was told of many names that they are unknown, nobody can tell which mattered.
    pub(super) fn barred(&self) -> impl Iterator<Item = (String, Symptom)> {
        const FEW: usize = 4;
        let names = |client: IpAddr| {
            self.all.keys().filter(|(of, _, stage)| *of == client && *stage == Stage::Name).count()
        };
        self.all.iter().filter_map(move |((client, label, stage), way)| {
            let idle = BY_ITSELF.contains(&&**label);
            let told = *stage == Stage::Ticket || !idle && names(*client) <= FEW;
            told.then(|| (way.name.clone(), way.symptom(*client, *stage)))
        })
    }
}

impl Way {
    fn new(around: &Around, name: &str, code: Code, user: Option<String>, said: String) -> Self {
        let Around { frame, time, .. } = *around;
        Self { name: name.to_owned(), code, user, frame, time, said }
    }

    fn symptom(&self, client: IpAddr, stage: Stage) -> Symptom {
        Symptom {
            frame: self.frame,
            client: Some(client),
            user: self.user.clone(),
            values: vec![(Slot::Server, self.name.clone())],
            ..Symptom::new(stage, self.code, self.time, self.said.clone())
        }
    }
}
