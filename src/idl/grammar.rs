//! The grammar, one function a rule: \[C706\] 6.1 to 6.3 with the extensions of \[MS-RPCE\] 2.2.4.

use std::rc::Rc;

use nom::branch::alt;
use nom::combinator::{cut, map, not, opt, peek, value};
use nom::multi::{many0, many0_count, many1, separated_list0, separated_list1};
use nom::sequence::{delimited, pair, preceded, terminated};
use nom::{Err, Parser};

use super::Error;
use super::base::base;
use super::expression::expression;
use super::lexer::{
    Fault, Parsed, fault, keyword, name, quoted, skip, symbol, text, uuid, version, word,
};
use super::syntax::{
    ArmDecl, Attr, AttrValue, Body, BodyKind, Declarator, FieldDecl, InterfaceDecl, Item,
    OperationDecl, Spec,
};

/// Brackets within brackets; real files have six.
pub(super) const NESTING: usize = 64;

/// Parses one file.
pub(super) fn parse(file: &str, source: &str) -> Result<Vec<Item>, Error> {
    if let Some(deep) = too_deep(source) {
        let message = format!("brackets are nested deeper than {NESTING}");
        return Err(Error::at(file, source, deep, message));
    }
    let mut items = Vec::new();
    let mut rest = source;
    while !skip(rest).is_empty() {
        match item(rest) {
            Ok((after, item)) => {
                items.push(item);
                rest = after;
            }
            Err(Err::Error(fault) | Err::Failure(fault)) => {
                return Err(expected(file, source, &fault));
            }
            Err(Err::Incomplete(_)) => break,
        }
    }
    Ok(items)
}

fn too_deep(source: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in source.char_indices() {
        match c {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > NESTING {
            return Some(at);
        }
    }
    None
}

fn expected(file: &str, source: &str, fault: &Fault<'_>) -> Error {
    let mut wanted: Vec<String> = Vec::new();
    for what in &fault.expected {
        let what = if what.contains(' ') { (*what).to_owned() } else { format!("`{what}`") };
        if !wanted.contains(&what) {
            wanted.push(what);
        }
    }
    let found = match fault.at.split_whitespace().next() {
        Some(word) => format!("found `{}`", word.chars().take(24).collect::<String>()),
        None => "the file ends".to_owned(),
    };
    let message = if wanted.is_empty() {
        format!("this is not understood: {found}")
    } else {
        format!("expected {}, {found}", wanted.join(" or "))
    };
    Error::at(file, source, source.len() - fault.at.len(), message)
}

fn item(input: &str) -> Parsed<'_, Item> {
    alt((
        value(Item::Ignored, symbol(";")),
        value(
            Item::Ignored,
            (keyword("cpp_quote"), cut((symbol("("), quoted, symbol(")"), opt(symbol(";"))))),
        ),
        map(
            preceded(
                keyword("import"),
                cut(terminated(separated_list1(symbol(","), text), symbol(";"))),
            ),
            Item::Import,
        ),
        constant,
        attributed,
    ))
    .parse(input)
}

/// `const long NAME = 5;`
fn constant(input: &str) -> Parsed<'_, Item> {
    let (input, ()) = keyword("const")(input)?;
    let (input, (_, _, name, (), value, ())) = cut((
        spec,
        many0_count(symbol("*")),
        name,
        symbol("="),
        alt((map(expression, Some), value(None, quoted))),
        symbol(";"),
    ))
    .parse(input)?;
    Ok((
        input,
        match value {
            Some(value) => Item::Const { name, value },
            None => Item::Ignored,
        },
    ))
}

/// Whatever may begin with attributes: an interface, a typedef, a definition, an operation.
fn attributed(input: &str) -> Parsed<'_, Item> {
    let (input, mut attrs) = attributes(input)?;
    if let Ok((input, ())) = keyword("interface")(input) {
        return cut(|input| interface(input, attrs.clone())).parse(input);
    }
    if let Ok((input, ())) = keyword("typedef")(input) {
        let (input, (more, spec, declarators, ())) =
            cut((attributes, spec, separated_list1(symbol(","), declarator), symbol(";")))
                .parse(input)?;
        attrs.extend(more);
        return Ok((input, Item::Typedef { attrs, spec, declarators }));
    }
    let (input, returns) = match spec(input) {
        Err(Err::Error(_)) => return fault(input, "a declaration"),
        parsed => parsed?,
    };
    if let Ok((input, ())) = symbol(";")(input) {
        return Ok((input, Item::Tagged(returns)));
    }
    let (input, (pointers, name, (), params, (), ())) =
        cut((many0_count(symbol("*")), name, symbol("("), parameters, symbol(")"), symbol(";")))
            .parse(input)?;
    let operation = OperationDecl { attrs, returns, pointers, name, params };
    Ok((input, Item::Operation(operation)))
}

fn interface(input: &str, attrs: Vec<Attr>) -> Parsed<'_, Item> {
    let (input, name) = name(input)?;
    if let Ok((input, ())) = symbol(";")(input) {
        return Ok((input, Item::Forward(name)));
    }
    let (mut input, (base, ())) =
        (opt(preceded(symbol(":"), self::name)), symbol("{")).parse(input)?;
    let mut items = Vec::new();
    loop {
        if let Ok((rest, ())) = symbol("}")(input) {
            let (rest, _) = opt(symbol(";")).parse(rest)?;
            let decl = InterfaceDecl { attrs, name, base, items };
            return Ok((rest, Item::Interface(decl)));
        }
        if skip(input).is_empty() {
            return fault(input, "}");
        }
        let (rest, item) = item(input)?;
        items.push(item);
        input = rest;
    }
}

fn parameters(input: &str) -> Parsed<'_, Vec<FieldDecl>> {
    let none = terminated(keyword("void"), peek(symbol(")")));
    let one = map((attributes, spec, declarator), |(attrs, spec, declarator)| FieldDecl {
        attrs: attrs.into(),
        spec,
        declarator,
    });
    alt((
        value(Vec::new(), none),
        value(Vec::new(), peek(symbol(")"))),
        separated_list1(symbol(","), cut(one)),
    ))
    .parse(input)
}

/// Any number of `[…]` lists, as one.
fn attributes(input: &str) -> Parsed<'_, Vec<Attr>> {
    let list =
        delimited(symbol("["), cut(separated_list0(symbol(","), attribute)), cut(symbol("]")));
    map(many0(list), |lists| lists.into_iter().flatten().collect()).parse(input)
}

fn attribute(input: &str) -> Parsed<'_, Attr> {
    let (input, name) = word(input)?;
    if symbol("(")(input).is_err() {
        let value = AttrValue::None;
        return Ok((input, Attr { name, value }));
    }
    let argument = |input| match &*name.text {
        "uuid" => map(uuid, AttrValue::Uuid).parse(input),
        "version" => map(version, |(a, b)| AttrValue::Version(a, b)).parse(input),
        "switch_type" => map(spec, AttrValue::Type).parse(input),
        _ => alt((
            value(AttrValue::Opaque, separated_list1(symbol(","), quoted)),
            map(separated_list0(symbol(","), opt(expression)), AttrValue::Terms),
        ))
        .parse(input),
    };
    let (input, value) = delimited(symbol("("), cut(argument), cut(symbol(")"))).parse(input)?;
    Ok((input, Attr { name, value }))
}

fn declarator(input: &str) -> Parsed<'_, Declarator> {
    let dimension = delimited(
        symbol("["),
        alt((
            value(None, peek(symbol("]"))),
            value(None, terminated(symbol("*"), peek(symbol("]")))),
            map(expression, Some),
        )),
        cut(symbol("]")),
    );
    let star = preceded(symbol("*"), opt(keyword("const")));
    map((many0_count(star), name, many0(dimension)), |(pointers, name, dims)| Declarator {
        pointers,
        name,
        dims,
    })
    .parse(input)
}

fn spec(input: &str) -> Parsed<'_, Spec> {
    let (input, _) = opt(keyword("const")).parse(input)?;
    let (input, spec) = alt((structure, union, enumeration, base, map(name, Spec::Named)))
        .parse(input)
        .or_else(|error| match error {
            Err::Error(_) => fault(input, "a type"),
            other => Err(other),
        })?;
    let (input, _) = opt(keyword("const")).parse(input)?;
    Ok((input, spec))
}

fn structure(input: &str) -> Parsed<'_, Spec> {
    let left = skip(input).len();
    let (input, ()) = keyword("struct")(input)?;
    let fields =
        map(many0(fields), |lists| BodyKind::Struct(lists.into_iter().flatten().collect()));
    tagged(input, left, fields)
}

fn fields(input: &str) -> Parsed<'_, Vec<FieldDecl>> {
    let (input, ()) = not(symbol("}")).parse(input)?;
    let (input, (attrs, spec, declarators, ())) =
        cut((attributes, spec, separated_list1(symbol(","), declarator), symbol(";")))
            .parse(input)?;
    let attrs: Rc<[Attr]> = attrs.into();
    let fields = declarators.into_iter().map(|declarator| FieldDecl {
        attrs: attrs.clone(),
        spec: spec.clone(),
        declarator,
    });
    Ok((input, fields.collect()))
}

/// The tag, the body, or both.
fn tagged<'a>(
    input: &'a str,
    left: usize,
    mut kind: impl Parser<&'a str, Output = BodyKind, Error = Fault<'a>>,
) -> Parsed<'a, Spec> {
    let (input, tag) = opt(name).parse(input)?;
    match (symbol("{")(input), tag) {
        (Ok((input, ())), tag) => {
            let (input, kind) = kind.parse(input)?;
            let (input, ()) = cut(symbol("}")).parse(input)?;
            Ok((input, Spec::Body(Rc::new(Body { left, tag, kind }))))
        }
        (Err(_), Some(tag)) => Ok((input, Spec::Tag(tag))),
        (Err(_), None) => cut(|input| fault(input, "{")).parse(input),
    }
}

fn union(input: &str) -> Parsed<'_, Spec> {
    let left = skip(input).len();
    let (input, ()) = keyword("union")(input)?;
    let (rest, tag) = opt(name).parse(input)?;
    if let Ok((rest, ())) = keyword("switch")(rest) {
        let (rest, ((), on, name, (), body, (), arms, ())) = cut((
            symbol("("),
            spec,
            name,
            symbol(")"),
            opt(name),
            symbol("{"),
            many0(switch_arm),
            symbol("}"),
        ))
        .parse(rest)?;
        let kind = BodyKind::Switch { on, name, body, arms };
        return Ok((rest, Spec::Body(Rc::new(Body { left, tag, kind }))));
    }
    tagged(input, left, map(many0(union_arm), BodyKind::Union))
}

/// `[case(1, 2)] T name;`, `[default] ;`, `[default];`
fn union_arm(input: &str) -> Parsed<'_, ArmDecl> {
    let (input, ()) = not(symbol("}")).parse(input)?;
    let (input, attrs) = attributes(input)?;
    let mut labels = Vec::new();
    let mut default = false;
    for attr in &attrs {
        match (&*attr.name.text, &attr.value) {
            ("case", AttrValue::Terms(terms)) => labels.extend(terms.iter().flatten().cloned()),
            ("default", _) => default = true,
            _ => {}
        }
    }
    if labels.is_empty() && !default {
        return cut(|input| fault(input, "[case(…)] or [default]")).parse(input);
    }
    let (input, field) = arm_field(input, attrs)?;
    let arm = ArmDecl { labels, default, field };
    Ok((input, arm))
}

/// `case 1: case 2: T name;`, `default: ;`
fn switch_arm(input: &str) -> Parsed<'_, ArmDecl> {
    let case = map(delimited(keyword("case"), cut(expression), cut(symbol(":"))), Some);
    let default = value(None, pair(keyword("default"), cut(symbol(":"))));
    let (input, heads) = many1(alt((case, default))).parse(input)?;
    let (input, attrs) = attributes(input)?;
    let (input, field) = arm_field(input, attrs)?;
    let arm = ArmDecl {
        default: heads.iter().any(Option::is_none),
        labels: heads.into_iter().flatten().collect(),
        field,
    };
    Ok((input, arm))
}

fn arm_field(input: &str, attrs: Vec<Attr>) -> Parsed<'_, Option<FieldDecl>> {
    if let Ok((input, ())) = symbol(";")(input) {
        return Ok((input, None));
    }
    let (input, (spec, declarator, ())) = cut((spec, declarator, symbol(";"))).parse(input)?;
    let field = FieldDecl { attrs: attrs.into(), spec, declarator };
    Ok((input, Some(field)))
}

fn enumeration(input: &str) -> Parsed<'_, Spec> {
    let left = skip(input).len();
    let (input, ()) = keyword("enum")(input)?;
    let label = pair(name, opt(preceded(symbol("="), cut(expression))));
    let labels = terminated(separated_list1(symbol(","), label), opt(symbol(",")));
    tagged(input, left, map(cut(labels), BodyKind::Enum))
}
