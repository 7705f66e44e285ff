//! What is answered: statuses, faults, and results as far as they are said.

use super::arguments::{build, octets_of};
use super::fsrvp::{self, Known};
use super::grammar::Fail;
use super::object::{counts, scmp};
use super::resolve::{Resolver, unknown};
use super::steps::{Answer, Call, Stub};
use super::syntax::{AnswerText, CallText, ValueText, Word};
use super::values::{self, Wanted};
use super::words::{self, hint};
use crate::bytes::Guid;
use crate::idl::{Field, Kind, Operation, Parameter};
use crate::ndr::{Arg, Direction, Value};
use crate::protocol::{Grade, Interface, fsrvp as protocol};
use crate::spelling::nearest;

/// The opnum of `GetShareMapping`, whose one result is a union around a structure.
const GET_SHARE_MAPPING: u16 = 10;

/// An argument and where it stands.
pub(super) type Placed = (String, Arg, usize);

impl Resolver<'_> {
    /// How `call` is answered, as far as it is said.
    pub(super) fn answer(&mut self, text: &CallText, call: &Call) -> Result<Option<Answer>, Fail> {
        Ok(Some(match &text.answer {
            None => return Ok(None),
            Some(AnswerText::Stub(octets)) => Answer::Response(Stub::Octets(octets_of(octets))),
            Some(AnswerText::Fault(word)) => {
                // Objects fault with an HRESULT as well.
                let named = words::fault(&word.text).or_else(|e| {
                    let status = words::status(self.registry, &call.interface, &word.text);
                    status.map_err(|_| e)
                });
                Answer::Fault(named.map_err(|e| unknown(word, "fault", &e))?)
            }
            Some(AnswerText::Pipe(word)) if call.settings.direct() => {
                return Err(Fail::at(word, "over TCP there is no pipe".to_owned()));
            }
            Some(AnswerText::Pipe(word)) => {
                let status = words::ntstatus(&word.text);
                Answer::Pipe(status.map_err(|e| unknown(word, "NTSTATUS", &e))?)
            }
            Some(AnswerText::Returns { status, .. }) => {
                let code = words::status(self.registry, &call.interface, &status.text)
                    .map_err(|e| unknown(status, "status", &e))?;
                Answer::Response(self.results(status, code, text, call)?)
            }
        }))
    }

    /// The results of `call`, which returns `status`.
    pub(super) fn results(
        &mut self,
        at: &Word,
        status: u32,
        text: &CallText,
        call: &Call,
    ) -> Result<Stub, Fail> {
        let given: Vec<&ValueText> = match &text.answer {
            // The text of an error is no result.
            Some(AnswerText::Returns { results, .. }) => {
                results.iter().filter(|value| !matches!(value, ValueText::Error(_))).collect()
            }
            _ => Vec::new(),
        };
        let given = given.as_slice();
        let interface = &*call.interface;
        let typed = interface.grade != Grade::Names;
        let Some(operation) = interface.operation(call.opnum).filter(|_| typed) else {
            // What is not known returns a status, like everything here.
            return Ok(Stub::Octets(status.to_le_bytes().to_vec()));
        };
        let is_fsrvp = interface.uuid == protocol::UUID;
        let mut args = if is_fsrvp && call.opnum == GET_SHARE_MAPPING {
            if let Some(value) = given.get(1) {
                let message = format!("{} has no more results", operation.name);
                return Err(Fail { left: value.left(), message });
            }
            self.mapping(status, given.first().copied(), call)?
        } else {
            self.given_results(operation, given, call)?
        };
        if is_fsrvp && status == 0 {
            let known = self.known(call.line);
            complete(operation, &mut args, at.left, &known);
        }
        if interface.object && status == 0 {
            for param in operation.params.iter().filter(|param| param.output) {
                if !args.iter().any(|(given, _, _)| **given == *param.field.name)
                    && let Some(arg) = self.unnamed(&param.field, call)
                {
                    args.push((param.field.name.to_string(), arg, at.left));
                }
            }
        }
        // Where nothing is returned, a result of this name is the status (\[C706\] appendix Q).
        let result = |param: &&Parameter| param.output && &*param.field.name == "status";
        if operation.returns.is_some() {
            args.push(("return".to_owned(), status.into(), at.left));
        } else if operation.params.iter().any(|param| result(&param))
            && !args.iter().any(|(given, _, _)| given == "status")
        {
            args.push(("status".to_owned(), status.into(), at.left));
        }
        let mut results = build(interface, operation, Direction::Out, &args, at.left)?;
        if interface.object {
            counts(text, call, &mut results)?;
        }
        Ok(Stub::Arguments(results))
    }

    /// The results that are said, in their order or by name.
    fn given_results(
        &mut self,
        operation: &Operation,
        given: &[&ValueText],
        call: &Call,
    ) -> Result<Vec<Placed>, Fail> {
        let short = short_names(&call.interface);
        let outputs: Vec<&Field> =
            operation.params.iter().filter(|p| p.output).map(|p| &p.field).collect();
        let mut args = Vec::new();
        if let [ValueText::Record(members, left)] = given
            && outputs.len() > 1
        {
            for (name, value) in members {
                let Some(field) = outputs.iter().find(|f| is_called(name, &f.name, short)) else {
                    let like = nearest(&name.text, outputs.iter().map(|field| &*field.name));
                    let message =
                        format!("{} has no result `{}`{}", operation.name, name.text, hint(&like));
                    return Err(Fail::at(name, message));
                };
                args.push((field.name.to_string(), self.one_result(value, field, call)?, *left));
            }
            return Ok(args);
        }
        for (n, value) in given.iter().enumerate() {
            let Some(field) = outputs.get(n) else {
                let message = format!("{} has no more results", operation.name);
                return Err(Fail { left: value.left(), message });
            };
            args.push((field.name.to_string(), self.one_result(value, field, call)?, value.left()));
        }
        Ok(args)
    }

    /// What a parameter or member wants.
    pub(super) fn wanted<'a>(&'a self, interface: &'a Interface, field: &'a Field) -> Wanted<'a> {
        Wanted {
            types: &interface.types,
            ty: field.ty,
            format: field.format.as_ref(),
            now: self.now,
            short: short_names(interface),
            names: interface.object.then_some(self.registry),
        }
    }

    /// `ShareMapping` of `GetShareMapping`, and the level its union is chosen by.
    fn mapping(
        &self,
        status: u32,
        given: Option<&ValueText>,
        call: &Call,
    ) -> Result<Vec<Placed>, Fail> {
        let level = asked(call, "Level").and_then(Value::as_u32).unwrap_or(1);
        let left = given.map_or(0, ValueText::left);
        let one = |arg: Arg| vec![("ShareMapping1".to_owned(), arg)];
        let union = match given {
            Some(ValueText::Tag(word)) => {
                let mut members = vec![("discriminant".to_owned(), Arg::Text(word.text.clone()))];
                members.extend(
                    (words::number(&word.text) == Some(1))
                        .then(|| one(Arg::Null))
                        .into_iter()
                        .flatten(),
                );
                members
            }
            Some(ValueText::Bare(word)) if word.text.eq_ignore_ascii_case("null") => one(Arg::Null),
            _ if level != 1 => Vec::new(),
            None if status != 0 => one(Arg::Null),
            _ => one(Arg::Record(self.mapping_members(given, call)?)),
        };
        let level = ("Level".to_owned(), level.into(), left);
        Ok(vec![("ShareMapping".to_owned(), Arg::Record(union), left), level])
    }

    /// The members of `FSSAGENT_SHARE_MAPPING_1`, those that are said and the others.
    fn mapping_members(
        &self,
        given: Option<&ValueText>,
        call: &Call,
    ) -> Result<Vec<(String, Arg)>, Fail> {
        let types = &call.interface.types;
        let Some(ty) = types.named("FSSAGENT_SHARE_MAPPING_1") else { return Ok(Vec::new()) };
        let Kind::Struct(record) = &types.get(ty).kind else { return Ok(Vec::new()) };
        let wanted = Wanted {
            types,
            ty,
            format: None,
            now: self.now,
            short: short_names(&call.interface),
            names: None,
        };
        let mut members = match given {
            Some(named @ ValueText::Record(..)) => match values::arg(named, wanted)? {
                Arg::Record(members) => members,
                _ => Vec::new(),
            },
            Some(name) => {
                let exposed = record.fields.iter().find(|f| &*f.name == "ShadowCopyShareName");
                let arg = |field: &Field| values::arg(name, Wanted { ty: field.ty, ..wanted });
                match exposed {
                    Some(field) => vec![(field.name.to_string(), arg(field)?)],
                    None => Vec::new(),
                }
            }
            None => Vec::new(),
        };
        let id = |name| asked(call, name).and_then(Value::as_guid).unwrap_or_default();
        let share = asked(call, "ShareName").and_then(Value::as_text).map(ToString::to_string);
        let share = share.unwrap_or_default();
        let (set, copy): (Guid, Guid) = (id("ShadowCopySetId"), id("ShadowCopyId"));
        let made = self.made(copy);
        for field in &record.fields {
            let name = &*field.name;
            if !members.iter().any(|(given, _)| given == name) {
                let arg = fsrvp::mapping(name, (set, copy, &share), made);
                members.extend(arg.map(|arg| (name.to_owned(), arg)));
            }
        }
        Ok(members)
    }
}

/// Adds the results that are not said, of a call that succeeds.
fn complete(operation: &Operation, args: &mut Vec<Placed>, left: usize, known: &Known) {
    for param in operation.params.iter().filter(|param| param.output) {
        let name = &*param.field.name;
        if !args.iter().any(|(given, _, _)| given == name)
            && let Some(arg) = fsrvp::result(name, known)
        {
            args.push((name.to_owned(), arg, left));
        }
    }
}

/// An argument of the request.
fn asked<'a>(call: &'a Call, name: &str) -> Option<&'a Value> {
    match &call.request {
        Stub::Arguments(arguments) => {
            arguments.params.iter().find(|(of, _)| &**of == name).map(|(_, value)| value)
        }
        Stub::Octets(_) => None,
    }
}

/// The short names an interface's parameters have in the notation.
pub(super) fn short_names(interface: &Interface) -> &'static [(&'static str, &'static str)] {
    match interface.uuid {
        protocol::UUID => fsrvp::SHORT,
        _ if scmp::is_one(interface) => scmp::SHORT,
        _ => &[],
    }
}

/// Whether a parameter or member goes by this word.
pub(super) fn is_called(word: &Word, name: &str, short: &[(&str, &str)]) -> bool {
    word.text == name || short.iter().any(|(short, long)| *short == word.text && *long == name)
}
