//! The arguments of requests: those that are said, and those that are left out.

use super::fsrvp;
use super::grammar::Fail;
use super::object::scmp;
use super::resolve::Resolver;
use super::results::{Placed, is_called, short_names};
use super::steps::{Line, Stub};
use super::syntax::{ArgsText, CallText, ValueText, Word};
use super::values;
use super::words::hint;
use crate::idl::{Operation, Parameter};
use crate::ndr::{self, Direction};
use crate::protocol::{Interface, fsrvp as protocol};
use crate::spelling::nearest;

impl Resolver<'_> {
    /// The arguments of a request.
    pub(super) fn request(
        &mut self,
        text: &CallText,
        interface: &Interface,
        opnum: u16,
        line: Line,
    ) -> Result<Stub, Fail> {
        let left = text.place.client.left;
        let given = match &text.args {
            Some(ArgsText::Stub(octets)) => return Ok(Stub::Octets(octets_of(octets))),
            Some(ArgsText::Named(given)) => given.as_slice(),
            Some(ArgsText::Sealed) | None => &[],
        };
        let Some(operation) = interface.operation(opnum) else {
            let Some((_, value)) = given.first() else { return Ok(Stub::Octets(Vec::new())) };
            let message = format!(
                "{} has no opnum {opnum}: its stub can be given as stub=… only",
                interface.name
            );
            return Err(Fail { left: value.left(), message });
        };
        let params: Vec<_> = operation.params.iter().filter(|param| param.input).collect();
        let mut args = self.given_arguments(interface, (operation, &params), given, line)?;
        if interface.uuid == protocol::UUID {
            let known = self.known(line);
            for param in &params {
                let name = &*param.field.name;
                if !args.iter().any(|(given, _, _)| given == name)
                    && let Some(arg) = fsrvp::request(opnum, name, &known)
                {
                    args.push((name.to_owned(), arg, left));
                }
            }
        }
        if scmp::is_one(interface) {
            for param in &params {
                let name = &*param.field.name;
                if !args.iter().any(|(given, _, _)| given == name)
                    && let Some(arg) = scmp::request(&operation.name, name)
                {
                    args.push((name.to_owned(), arg, left));
                }
            }
        }
        let mut arguments = build(interface, operation, Direction::In, &args, left)?;
        let names: Vec<_> = args.iter().map(|(name, _, left)| (name.as_str(), *left)).collect();
        for (_, value) in given {
            let at = value.left();
            if let ValueText::Record(members, _) = value
                && let Some((name, _)) = names.iter().find(|(_, left)| *left == at)
                && let Some((_, param)) = arguments.params.iter_mut().find(|(of, _)| &**of == *name)
            {
                values::count(param, members)?;
            }
        }
        Ok(Stub::Arguments(arguments))
    }

    /// The arguments that are said. Those without a name are for the parameters that no other
    /// argument names, in their order.
    fn given_arguments(
        &self,
        interface: &Interface,
        (operation, params): (&Operation, &[&Parameter]),
        given: &[(Option<Word>, ValueText)],
        line: Line,
    ) -> Result<Vec<Placed>, Fail> {
        let short = short_names(interface);
        let mut args: Vec<Placed> = Vec::new();
        for (name, value) in given {
            let is_free = |param: &&&Parameter| {
                let called = |word: &Option<Word>| {
                    word.as_ref().is_some_and(|w| is_called(w, &param.field.name, short))
                };
                let taken = |(taken, _, _): &Placed| **taken == *param.field.name;
                &*param.field.name != fsrvp::BY_NAME_ONLY
                    && !given.iter().any(|(word, _)| called(word))
                    && !args.iter().any(taken)
            };
            let param = match name {
                Some(name) => params.iter().find(|p| is_called(name, &p.field.name, short)),
                None => params.iter().find(is_free),
            };
            let Some(param) = param else {
                return Err(no_parameter(operation, params, name.as_ref(), value, short));
            };
            let field = &param.field;
            let arg = self.one_argument(value, interface, field, line)?;
            args.push((field.name.to_string(), arg, value.left()));
        }
        Ok(args)
    }
}

/// Why an argument has no parameter.
fn no_parameter(
    operation: &Operation,
    params: &[&Parameter],
    name: Option<&Word>,
    value: &ValueText,
    short: &[(&str, &str)],
) -> Fail {
    let Some(name) = name else {
        let message = format!("{} takes no more arguments", operation.name);
        return Fail { left: value.left(), message };
    };
    let long = params.iter().map(|param| &*param.field.name);
    let like = nearest(&name.text, long.chain(short.iter().map(|(short, _)| *short)));
    let message = format!("{} has no parameter `{}`{}", operation.name, name.text, hint(&like));
    Fail::at(name, message)
}

pub(super) fn octets_of(word: &Word) -> Vec<u8> {
    let digit = |c: char| c.to_digit(16).and_then(|n| u8::try_from(n).ok());
    let digits: Vec<u8> = word.text.chars().filter_map(digit).collect();
    let pairs = digits.chunks(2);
    pairs.map(|pair| pair.iter().fold(0u8, |octet, digit| octet << 4 | digit)).collect()
}

/// Makes values of arguments; an error is told where the argument stands.
pub(super) fn build(
    interface: &Interface,
    operation: &Operation,
    direction: Direction,
    args: &[Placed],
    left: usize,
) -> Result<ndr::Arguments, Fail> {
    let given: Vec<_> = args.iter().map(|(name, arg, _)| (name.as_str(), arg.clone())).collect();
    ndr::build(&interface.types, operation, direction, &given).map_err(|error| {
        let first = error.path.split(['.', '[']).next().unwrap_or_default();
        let place = args.iter().find(|(name, _, _)| name == first);
        Fail {
            left: place.map_or(left, |(_, _, left)| *left),
            message: format!("{} of {}", error, operation.name),
        }
    })
}
