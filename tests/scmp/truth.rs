//! Compares what a program wrote down of its calls with what vshark says of them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value as Json, json};
use vshark::protocol::Registry;

use crate::mapping::{self, As, Row};
use crate::read::Said;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::embedded().expect("it is well"));

/// How much was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Calls whose stubs are in clear.
    pub(crate) clear: usize,
    /// Values of those.
    pub(crate) clear_values: usize,
    /// Calls whose stubs are sealed.
    pub(crate) sealed: usize,
    /// Values of those.
    pub(crate) sealed_values: usize,
    /// Interfaces that were asked for in a bind.
    pub(crate) bindings: usize,
}

/// The comparison of one capture.
#[derive(Default)]
pub(crate) struct Comparison {
    /// What differs.
    pub(crate) differences: Vec<String>,
    pub(crate) count: Count,
    /// Whether what was sealed is open.
    opened: bool,
    /// Values compared so far.
    values: usize,
    /// The call that is looked at, which rows with `^` count from.
    record: Json,
    method: String,
}

/// Compares a whole capture.
pub(crate) fn compare(truth: &Json, said: &Said) -> Comparison {
    let mut c = Comparison { opened: said.opened, ..Comparison::default() };
    for key in keys(truth) {
        if !mapping::WHOLE.contains(&key) {
            c.differs(key, "no row knows this key");
        }
    }
    let mut calls: Vec<&Json> = truth["calls"].as_array().into_iter().flatten().collect();
    calls.sort_by_key(|call| call["seq"].as_u64());
    if calls.len() != said.calls.len() {
        c.differs("calls", &format!("{} were made, {} are told", calls.len(), said.calls.len()));
    }
    for (n, (call, ours)) in calls.into_iter().zip(&said.calls).enumerate() {
        let method = call["method"].as_str().unwrap_or_default();
        let place = format!("call {} {method}", n + 1);
        c.call(&place, call, ours, &principal(truth));
        c.same(
            &format!("{place}: version"),
            version(truth, &call["iid"]),
            &ours["interface"]["version"],
        );
    }
    c.bindings(truth, &said.bindings);
    c
}

/// The version that an interface was bound by.
fn version<'t>(truth: &'t Json, iid: &Json) -> &'t Json {
    let bindings = truth["bindings"].as_array().into_iter().flatten();
    let mut contexts = bindings.flat_map(|of| of["contexts"].as_array().into_iter().flatten());
    contexts.find(|context| context["iid"] == *iid).map_or(&Json::Null, |of| &of["version"])
}

fn principal(truth: &Json) -> Json {
    let text = |key: &str| truth[key].as_str().unwrap_or_default();
    format!(r"{}\{}", text("domain"), text("user")).into()
}

fn keys(json: &Json) -> impl Iterator<Item = &str> {
    json.as_object().into_iter().flatten().map(|(key, _)| &**key)
}

/// What is at a path: `a.b`, where a star is the element of a list that has the next key.
fn at<'j>(json: &'j Json, path: &str) -> &'j Json {
    let mut steps = path.split('.').filter(|step| !step.is_empty()).peekable();
    let mut json = json;
    while let Some(step) = steps.next() {
        json = match (step, steps.peek()) {
            ("*", Some(next)) => {
                let mut elements = json.as_array().into_iter().flatten();
                elements.find(|element| element.get(next).is_some()).unwrap_or(&Json::Null)
            }
            _ => &json[step],
        };
    }
    json
}

/// A number, whose name may be beside it, and which may be written as `0x…`.
fn number(json: &Json) -> Option<i128> {
    match json {
        Json::Number(_) => json.as_i64().map(i128::from).or_else(|| json.as_u64().map(i128::from)),
        Json::String(text) => i128::from_str_radix(text.strip_prefix("0x")?, 16).ok(),
        Json::Object(_) => number(json.get("value")?),
        _ => None,
    }
}

/// 100 ns since 1601, of a time as text.
fn filetime(text: &str) -> Option<i128> {
    const EPOCH: i128 = 116_444_736_000_000_000;
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(time.as_nanosecond() / 100 + EPOCH)
}

impl Comparison {
    fn differs(&mut self, at: &str, how: &str) {
        self.differences.push(format!("{at}: {how}"));
    }

    fn call(&mut self, place: &str, truth: &Json, ours: &Json, principal: &Json) {
        let privacy = truth["auth_level"] == "pkt_privacy";
        let sealed = privacy && !self.opened;
        let before = self.values;
        ours.clone_into(&mut self.record);
        truth["method"].as_str().unwrap_or_default().clone_into(&mut self.method);
        for (key, value) in truth.as_object().into_iter().flatten() {
            let place = format!("{place}: {key}");
            let Some(Row(_, path, is)) = mapping::CALL.iter().find(|row| row.0 == key) else {
                self.differs(&place, "no row knows this key");
                continue;
            };
            let ours = at(ours, path);
            if sealed && mapping::SEALED.contains(&&**key) {
                // A fault is in clear, and there `hresult` is null.
                self.same(&place, &Json::Null, ours);
            } else if matches!(&**key, "in" | "out") {
                self.parameters(&place, key == "in", value, ours);
            } else {
                self.value(&place, *is, value, ours);
            }
        }
        let faulted = truth.get("fault").is_some();
        let request = match (privacy, self.opened) {
            (false, _) => "clear",
            (true, true) => "unsealed",
            (true, false) => "sealed",
        };
        let response = request;
        let response = if faulted { "absent" } else { response };
        self.same(
            &format!("{place}: stubs"),
            &json!({ "request": request, "response": response }),
            &ours["stub"],
        );
        // What the truth leaves out where it is not so.
        if !faulted {
            self.same(&format!("{place}: fault"), &Json::Null, &ours["fault"]);
        }
        let object = truth.get("object_ipid").unwrap_or(&Json::Null);
        self.same(&format!("{place}: object"), object, &ours["object"]);
        // Those of MS-SCMP have messages of their own.
        let typed = truth["interface"].as_str().is_some_and(|name| name.starts_with("IVss"));
        let grade = if typed { "typed" } else { "idl" };
        self.same(&format!("{place}: grade"), &grade.into(), &ours["grade"]);
        let none = truth["auth_level"] == "none";
        let principal = if none { &Json::Null } else { principal };
        self.same(&format!("{place}: principal"), principal, &ours["auth"]["principal"]);
        if sealed {
            // Whether the truth has something to say of it or not.
            for key in ["orpc", "request", "response", "status"] {
                self.same(&format!("{place}: {key}"), &Json::Null, &ours[key]);
            }
        } else {
            self.around(place, truth, ours, faulted);
        }
        let values = self.values - before;
        let (calls, of) = if sealed {
            (&mut self.count.sealed, &mut self.count.sealed_values)
        } else {
            (&mut self.count.clear, &mut self.count.clear_values)
        };
        *calls += 1;
        *of += values;
    }

    /// `ORPCTHIS` and `ORPCTHAT` where the truth does not speak of them: those methods have none, or
    /// an `ORPCTHAT` without extensions.
    fn around(&mut self, place: &str, truth: &Json, ours: &Json, faulted: bool) {
        let object = truth.get("object_ipid").is_some();
        if truth.get("orpcthis").is_none() && !object {
            self.same(&format!("{place}: orpc"), &Json::Null, &ours["orpc"]);
        } else if truth.get("orpcthat").is_none() {
            let place = format!("{place}: orpcthat");
            let that = &ours["orpc"]["that"];
            if faulted {
                self.same(&place, &Json::Null, that);
            } else {
                self.same(&place, &0.into(), &that["flags"]["value"]);
                self.same(&place, &json!({ "is": null }), &json!({ "is": that.get("extensions") }));
            }
        }
        // What is told twice is told alike, and what the rows call null is.
        for (side, key) in [("request", "this"), ("response", "that")] {
            for name in [format!("orpc{key}"), format!("ORPC{key}")] {
                if let Some(twice) = ours[side].get(&name) {
                    self.same(&format!("{place}: {name}"), &ours["orpc"][key], twice);
                }
            }
        }
        for key in ["pwszObjectName", "pObjectStorage", "pUnkOuter"] {
            if let Some(value) = ours["request"].get(key) {
                self.same(&format!("{place}: {key}"), &Json::Null, value);
            }
        }
        // Counts are those of the arrays.
        for (count, array) in [
            ("cAddToSet", "AddToSet"),
            ("cDelFromSet", "DelFromSet"),
            ("cIids", "iids"),
            ("cInterfaceRefs", "InterfaceRefs"),
            ("cRequestedProtseqs", "arRequestedProtseqs"),
            ("cRequestedProtseqs", "aRequestedProtseqs"),
            ("Interfaces", "pIIDs"),
        ] {
            let request = &ours["request"];
            if let (Some(count), Some(array)) = (request.get(count), request.get(array)) {
                let len = array.as_array().map_or(0, Vec::len);
                self.same(&format!("{place}: the count"), &len.into(), count);
            }
        }
    }

    fn parameters(&mut self, place: &str, of_request: bool, truth: &Json, ours: &Json) {
        let method = self.method.clone();
        let Some((request, response)) = mapping::parameters(&method) else {
            return self.differs(place, "no row knows this method");
        };
        let rows = if of_request { request } else { response };
        // The activation that was denied has nothing of what others have.
        self.record(place, rows, truth, ours);
    }

    fn record(&mut self, place: &str, rows: &[Row], truth: &Json, ours: &Json) {
        let Json::Object(members) = truth else {
            return self.same(place, truth, ours);
        };
        self.members(place, rows, members, ours);
        self.ours_alone(place, rows, members, ours);
    }

    fn members(&mut self, place: &str, rows: &[Row], truth: &Map<String, Json>, ours: &Json) {
        if !ours.is_object() {
            return self.differs(place, &format!("it is {ours}, and was a record"));
        }
        for (key, value) in truth {
            let place = format!("{place}.{key}");
            let Some(Row(_, path, is)) = rows.iter().find(|row| row.0 == key) else {
                self.differs(&place, "no row knows this key");
                continue;
            };
            match path.strip_prefix('^') {
                Some(path) => {
                    let ours = at(&self.record, path).clone();
                    self.value(&place, *is, value, &ours);
                }
                None => self.value(&place, *is, value, at(ours, path)),
            }
        }
    }

    /// Every key of ours is in a row whose key the truth has, or is known to be ours alone.
    fn ours_alone(&mut self, place: &str, rows: &[Row], truth: &Map<String, Json>, ours: &Json) {
        for key in keys(ours) {
            let names = |row: &&Row| {
                let first = row.1.split('.').next().unwrap_or_default();
                // Rows without a path speak of the same record in parts.
                first == key || (row.1.is_empty() && names_inside(row.2, key))
            };
            let told = rows.iter().filter(names).any(|row| truth.contains_key(row.0));
            let alone = mapping::OURS_ALONE
                .iter()
                .any(|(of, name)| *name == key && (*of == "*" || *of == self.method));
            if !told && !alone {
                self.differs(&format!("{place}.{key}"), "the truth does not have it");
            }
        }
    }

    fn value(&mut self, place: &str, is: As, truth: &Json, ours: &Json) {
        match is {
            As::Same => self.same(place, truth, ours),
            As::Number | As::Hex => {
                let (was, told) = (number(truth), number(ours));
                let same = if was.is_some() { was == told } else { truth == ours };
                self.holds(place, same, truth, ours);
            }
            As::Version => {
                let told = format!("{}.{}", ours["MajorVersion"], ours["MinorVersion"]);
                self.same(place, truth, &told.into());
            }
            As::Filetime => {
                let told = ours.as_str().and_then(filetime);
                self.holds(place, told.is_some() && number(truth) == told, truth, ours);
            }
            As::Kind => {
                let known = truth == "OBJREF_STANDARD" && ours["value"] == 1;
                self.holds(place, known && ours["name"] == *truth, truth, ours);
            }
            As::TypeName => self.same(place, truth, &ours["name"]),
            As::Signature => {
                let known = truth == "MEOW" && ours == "0x574f454d";
                self.holds(place, known, truth, ours);
            }
            As::Syntax => {
                let syntax = match truth.as_str() {
                    Some("NDR 8a885d04-1ceb-11c9-9fe8-08002b104860 v2") => "ndr",
                    Some("NDR64 71710533-beba-4937-8319-b5dbef9ccc36 v1") => "ndr64",
                    _ => "unknown",
                };
                self.same(place, &syntax.into(), ours);
            }
            As::Security => {
                let security = match truth.as_str() {
                    Some("none") => "none",
                    Some("ntlmssp (10)") => "ntlm",
                    _ => "unknown",
                };
                self.same(place, &security.into(), ours);
            }
            As::InterfaceName => {
                let uuid = ours.as_str().and_then(|text| text.parse().ok());
                let known = uuid.and_then(|uuid| REGISTRY.interface(uuid, 0));
                self.same(place, truth, &json!(known.map(|interface| interface.name.to_string())));
            }
            As::Level => {
                let level = truth.as_str().unwrap_or_default();
                let level = level.strip_prefix("pkt_").unwrap_or(level);
                self.same(place, &level.into(), ours);
            }
            As::Addresses | As::Tower => self.addresses(place, is, truth, ours),
            As::List(of) => self.list(place, *of, truth, ours),
            As::Columns(rows) => self.columns(place, rows, truth, ours),
            As::Part(rows) => match truth {
                Json::Object(members) => self.members(place, rows, members, ours),
                _ => self.differs(place, "it is no record"),
            },
            As::RecordOrZeros(rows) if truth.is_null() => {
                for Row(_, path, _) in rows {
                    let value = at(ours, path);
                    let nil = value == "00000000-0000-0000-0000-000000000000";
                    self.holds(
                        &format!("{place}.{path}"),
                        nil || number(value) == Some(0),
                        truth,
                        ours,
                    );
                }
            }
            As::Record(rows) | As::RecordOrZeros(rows) => self.record(place, rows, truth, ours),
            As::Object if truth.is_null() => self.same(place, truth, ours),
            As::Object => {
                if keys(truth).collect::<Vec<_>>() != ["objref"] {
                    self.differs(place, "no row knows what is beside objref");
                }
                self.record(&format!("{place}.objref"), mapping::OBJREF, &truth["objref"], ours);
            }
            As::Arm => {
                self.same(place, &Json::Null, truth);
                self.same(place, &json!({}), ours);
            }
            As::Order | As::Prose => {}
            As::Holds => self.same(place, truth, &true.into()),
            As::ClientStatus => {
                // Where the server wrote a status down as well, which is compared by itself.
                if truth.as_str().is_some_and(|text| text.starts_with("0x")) && !ours.is_null() {
                    self.value(place, As::Hex, truth, ours);
                }
            }
        }
    }

    fn list(&mut self, place: &str, of: As, truth: &Json, ours: &Json) {
        let (Json::Array(was), Json::Array(told)) = (truth, ours) else {
            return self.same(place, truth, ours);
        };
        // An array of extensions is filled up to an even number with nulls.
        let extents = place.ends_with("extensions.extents");
        let told: Vec<&Json> =
            told.iter().filter(|element| !(extents && element.is_null())).collect();
        self.same(&format!("{place}: their number"), &was.len().into(), &told.len().into());
        for (n, (was, told)) in was.iter().zip(told).enumerate() {
            self.value(&format!("{place}[{n}]"), of, was, told);
        }
    }

    fn columns(&mut self, place: &str, rows: &[Row], truth: &Json, ours: &Json) {
        let Some(elements) = truth.as_array() else {
            return self.differs(place, "it is no array");
        };
        for Row(_, path, _) in rows {
            let len = at(ours, path).as_array().map_or(0, Vec::len);
            self.same(
                &format!("{place}.{path}: their number"),
                &elements.len().into(),
                &len.into(),
            );
        }
        for (n, element) in elements.iter().enumerate() {
            for (key, value) in element.as_object().into_iter().flatten() {
                let place = format!("{place}[{n}].{key}");
                match rows.iter().find(|row| row.0 == key) {
                    Some(Row(_, path, is)) => self.value(&place, *is, value, &at(ours, path)[n]),
                    None => self.differs(&place, "no row knows this key"),
                }
            }
        }
    }

    fn addresses(&mut self, place: &str, is: As, truth: &Json, ours: &Json) {
        let Some(bindings) = ours.as_array() else {
            return self.differs(place, &format!("it is {ours}, and was {truth}"));
        };
        if matches!(is, As::Tower) {
            for binding in bindings {
                self.value(place, As::Number, truth, &binding["wTowerId"]);
            }
            return;
        }
        let addresses: Vec<&Json> = bindings.iter().map(|of| &of["aNetworkAddr"]).collect();
        self.same(place, truth, &json!(addresses));
    }

    /// What became of each interface that was asked for.
    fn bindings(&mut self, truth: &Json, ours: &[Json]) {
        let mut asked: Vec<Json> = Vec::new();
        let mut security = BTreeMap::new();
        for binding in truth["bindings"].as_array().into_iter().flatten() {
            let place = format!("binding {}", binding["seq"]);
            if binding["pdu"] == "auth3" {
                assert!(binding.get("contexts").is_none(), "{place}");
                continue;
            }
            let from = asked.len();
            let mut binding = binding.clone();
            let port = binding["client_port"].as_u64();
            if binding["pdu"] == "bind" {
                let of = [binding["auth_type"].clone(), binding["auth_level"].clone()];
                security.insert(port, of);
            } else if binding["auth_level"] == "none" && security[&port][1] == "connect" {
                [binding["auth_type"], binding["auth_level"]] = security[&port].clone();
            }
            for context in binding["contexts"].as_array().into_iter().flatten() {
                for key in keys(context) {
                    if !mapping::CONTEXT.contains(&key) {
                        self.differs(&format!("{place}: {key}"), "no row knows this key");
                    }
                }
                ask(&binding, context, from, &mut asked);
            }
        }
        if asked.len() != ours.len() {
            self.differs(
                "bindings",
                &format!("{} were made, {} are told", asked.len(), ours.len()),
            );
        }
        for (n, (was, told)) in asked.iter().zip(ours).enumerate() {
            self.count.bindings += 1;
            self.record(&format!("binding {}", n + 1), mapping::BINDING, was, told);
        }
    }

    fn same(&mut self, place: &str, truth: &Json, ours: &Json) {
        self.holds(place, truth == ours, truth, ours);
    }

    fn holds(&mut self, place: &str, same: bool, truth: &Json, ours: &Json) {
        self.values += 1;
        if !same {
            self.differs(place, &format!("it is {ours}, and was {truth}"));
        }
    }
}

/// Whether a row without a path, whose members are in the same record, names a key of it.
fn names_inside(is: As, key: &str) -> bool {
    match is {
        As::Part(rows) => rows.iter().any(|row| row.1 == key),
        _ => false,
    }
}

/// Puts a context into what was asked for; a later one of the same interface is told with the
/// first, and the interface is taken if one of them is.
fn ask(binding: &Json, context: &Json, from: usize, asked: &mut Vec<Json>) {
    let mut one = binding.clone();
    let members = one.as_object_mut().expect("it is an object");
    members.remove("contexts");
    let result = context["result"].as_str();
    let answer = result.or(binding["result"].as_str()).unwrap_or_default();
    members.insert("answer".to_owned(), answer.into());
    if let Some((name, iid)) = context["abstract"].as_str().and_then(|of| of.split_once(' ')) {
        members.insert("interface".to_owned(), name.into());
        members.insert("iid".to_owned(), iid.into());
        // The version is not written down; all of these interfaces have this one.
        members.insert("version".to_owned(), "0.0".into());
    } else {
        for key in ["interface", "iid", "version"] {
            members.insert(key.to_owned(), context[key].clone());
        }
    }
    let same = asked[from..].iter_mut().find(|other| other["iid"] == one["iid"]);
    match same {
        Some(other) if answer == "acceptance" => other["answer"] = answer.into(),
        Some(_) => {}
        None => asked.push(one),
    }
}
