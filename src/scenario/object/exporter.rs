//! Calls of the exporter of a server: `resolve`, `ping`, `simpleping`, `alive`.

use super::heads::{VERSION, version};
use super::refs::{Asks, At, Given};
use super::{DYNAMIC, Objects, TCP};
use crate::ndr::Arg;
use crate::protocol::dcom::IOBJECTEXPORTER;
use crate::scenario::grammar::Fail;
use crate::scenario::resolve::Resolver;
use crate::scenario::steps::Line;
use crate::scenario::syntax::{ValueText, Word};
use crate::scenario::wire::octets::chance;
use crate::scenario::words;

impl Resolver<'_> {
    /// `resolve(m1)`
    pub(super) fn resolution(
        &mut self,
        given: Given<'_>,
        line: Line,
        at: At<'_>,
    ) -> Result<Asks, Fail> {
        let (oxid, server) = match given.first() {
            Some((None, ValueText::Bare(word))) => {
                let object = self.object(line.client, word)?;
                (object.standard.oxid, object.server)
            }
            _ => (self.objects.oxid(line.server), line.server),
        };
        let settings = self.settings_of(line);
        let port = settings.dcom.unwrap_or(DYNAMIC);
        let results = if at.status == 0 {
            vec![
                at.placed("ppdsaOxidBindings", self.bindings(server, &settings, Some(port)).arg()),
                at.placed("pipidRemUnknown", Objects::unknown(oxid).into()),
                at.placed(
                    "pAuthnHint",
                    u32::from(settings.auth.map_or(1, |auth| auth.level)).into(),
                ),
                at.placed("pComVersion", version(VERSION)),
            ]
        } else {
            Vec::new()
        };
        let towers = Arg::List(vec![u32::from(TCP).into()]);
        Ok(Asks {
            interface: IOBJECTEXPORTER,
            opnum: 4,
            args: vec![at.placed("pOxid", oxid.into()), at.placed("arRequestedProtseqs", towers)],
            results,
            oxid: None,
            server,
        })
    }

    /// `ping(g1,add=[m1],del=[e1])->g2`
    pub(super) fn ping(
        &mut self,
        given: Given<'_>,
        results: &[&ValueText],
        line: Line,
        at: At<'_>,
    ) -> Result<Asks, Fail> {
        let (mut set, mut name) = ((0, 0), None);
        let (mut add, mut del) = (Vec::new(), Vec::new());
        let mut server = line.server;
        for (key, value) in given {
            let list = match (key.as_ref().map(|key| key.text.as_str()), value) {
                (None | Some("set"), ValueText::Bare(word)) => {
                    set = self.set_of(line.client, word)?;
                    name = Some(word);
                    continue;
                }
                (Some("add"), _) => &mut add,
                (Some("del"), _) => &mut del,
                _ => {
                    let message = "expected a set, add=[…] or del=[…]".to_owned();
                    return Err(Fail { left: value.left(), message });
                }
            };
            let items = match value {
                ValueText::List(items, _) => items.as_slice(),
                one => std::slice::from_ref(one),
            };
            for item in items {
                self.room(item.left())?;
                let ValueText::Bare(word) = item else {
                    let message = "expected the name of an object".to_owned();
                    return Err(Fail { left: item.left(), message });
                };
                let object = self.object(line.client, word)?;
                server = object.server;
                list.push(Arg::from(object.standard.oid));
            }
        }
        let sequence = set.1.saturating_add(1);
        let id = match set.0 {
            0 => chance(self.objects.number() | 1 << 57),
            known => known,
        };
        let named = match results.first() {
            Some(ValueText::Bare(word)) => Some(word),
            _ => name,
        };
        if let Some(word) = named.filter(|_| at.status == 0) {
            let key = (line.client, word.text.to_lowercase());
            self.objects.sets.insert(key, (id, sequence));
        }
        let list = |items: Vec<Arg>| if items.is_empty() { Arg::Null } else { Arg::List(items) };
        Ok(Asks {
            interface: IOBJECTEXPORTER,
            opnum: 2,
            args: vec![
                at.placed("pSetId", set.0.into()),
                at.placed("SequenceNum", u32::from(sequence).into()),
                at.placed("cAddToSet", crate::bytes::clamp(add.len()).into()),
                at.placed("cDelFromSet", crate::bytes::clamp(del.len()).into()),
                at.placed("AddToSet", list(add)),
                at.placed("DelFromSet", list(del)),
            ],
            results: vec![
                at.placed("pSetId", if at.status == 0 { id } else { set.0 }.into()),
                at.placed("pPingBackoffFactor", 0u32.into()),
            ],
            oxid: None,
            server,
        })
    }

    /// `simpleping(g1)`
    pub(super) fn simple_ping(
        &mut self,
        given: Given<'_>,
        line: Line,
        at: At<'_>,
    ) -> Result<Asks, Fail> {
        let Some((_, ValueText::Bare(word))) = given.first() else {
            return Err(Fail::at(at.method, "which set is pinged?".to_owned()));
        };
        let (id, _) = self.set_of(line.client, word)?;
        Ok(Asks {
            interface: IOBJECTEXPORTER,
            opnum: 1,
            args: vec![at.placed("pSetId", id.into())],
            results: Vec::new(),
            oxid: None,
            server: line.server,
        })
    }

    /// `alive()`
    pub(super) fn alive(&self, line: Line, at: At<'_>) -> Asks {
        let settings = self.settings_of(line);
        let results = vec![
            at.placed("pComVersion", version(VERSION)),
            at.placed("ppdsaOrBindings", self.bindings(line.server, &settings, None).arg()),
        ];
        Asks {
            interface: IOBJECTEXPORTER,
            opnum: 5,
            args: Vec::new(),
            results: if at.status == 0 { results } else { Vec::new() },
            oxid: None,
            server: line.server,
        }
    }

    /// A set of pings by its name, or its number.
    fn set_of(&self, client: usize, word: &Word) -> Result<(u64, u16), Fail> {
        let named = self.objects.sets.get(&(client, word.text.to_lowercase()));
        let numbered = || words::number(&word.text).map(|id| (id, 0));
        named
            .copied()
            .or_else(numbered)
            .ok_or_else(|| Fail::at(word, format!("there is no set of pings `{}`", word.text)))
    }
}
