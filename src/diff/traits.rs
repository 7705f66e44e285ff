//! What is true of a conversation throughout: dialect, authentication, names, time-outs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::conversation::Conversation;
use super::step::name;
use super::{Pair, Which};
use crate::bytes::Order;
use crate::protocol::fsrvp::Response;
use crate::rpc::{Auth, Transfer};
use crate::security::Mechanism;

/// Values of one trait that are kept.
const MAX_VALUES: usize = 32;

/// What may be true of a conversation, in the order in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trait {
    /// The shares that it was about.
    Share,
    /// Who was logged on, or wanted to be.
    User,
    /// How RPC was protected.
    Authentication,
    /// What carried RPC.
    Transport,
    /// The dialect of SMB.
    Dialect,
    /// Whether SMB signed.
    Signing,
    /// Whether SMB encrypted.
    Encryption,
    /// How parameters were written.
    Syntax,
    /// The byte order of requests.
    ByteOrder,
    /// The version the server says it has, in NTLM.
    ServerVersion,
    /// `OwnerMachineName` of `IsPathSupported`.
    Owner,
    /// `TimeOutInMilliseconds` of the operation with this number.
    TimeOut(u16),
}

impl Trait {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::User => "user",
            Self::Authentication => "authentication",
            Self::Transport => "transport",
            Self::Dialect => "dialect",
            Self::Signing => "signing",
            Self::Encryption => "encryption",
            Self::Syntax => "syntax",
            Self::ByteOrder => "byte_order",
            Self::ServerVersion => "server_version",
            Self::Owner => "owner",
            Self::TimeOut(_) => "time_out",
        }
    }
}

/// A value of a trait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A name from the wire, or a dialect.
    Text(Arc<str>),
    /// Provider and level of \[MS-RPCE\] 2.2.1.1.7 and 2.2.1.1.8.
    Auth {
        /// The provider.
        auth_type: u8,
        /// The level.
        level: u8,
        /// The mechanism, where a token told it.
        mechanism: Option<Mechanism>,
    },
    /// `ncacn_np`
    Pipe,
    /// `ncacn_ip_tcp`
    Tcp,
    /// Whether it is so.
    Yes(bool),
    /// The transfer syntax.
    Syntax(Transfer),
    /// The byte order.
    Order(Order),
    /// Major, minor and build.
    Version(u8, u8, u16),
    /// A time-out.
    Milliseconds(u32),
}

impl Value {
    /// How something was protected.
    pub(super) fn auth(auth: &Auth) -> Self {
        let Auth { auth_type, level, mechanism, .. } = *auth;
        Self::Auth { auth_type, level, mechanism }
    }
}

/// What is true of a conversation.
#[derive(Clone, Debug, Default)]
pub(super) struct Traits {
    /// In the order in which they were seen; no more than [`MAX_VALUES`] of a trait.
    seen: BTreeMap<Trait, Vec<Value>>,
}

impl Traits {
    pub(super) fn add(&mut self, of: Trait, value: Value) {
        let seen = self.seen.entry(of).or_default();
        if seen.len() < MAX_VALUES && !seen.contains(&value) {
            seen.push(value);
        }
    }
}

/// Something that is told to differ throughout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What.
    pub of: Trait,
    /// What it is in each, in the order in which it was seen; never empty.
    pub values: Pair<Vec<Value>>,
}

/// What differs, where both captures tell it.
pub(super) fn differences(conversations: Pair<&Conversation>) -> Vec<Difference> {
    let all = conversations.map(whole);
    let traits: Vec<Trait> = all.good.seen.keys().copied().collect();
    let difference = |of: Trait| {
        let values = Pair::of(|which| all[which].seen.get(&of).cloned().unwrap_or_default());
        let told = Which::BOTH.iter().all(|which| !values[*which].is_empty());
        let differ = |by: &dyn Fn(&Conversation, &str) -> String| {
            let keys =
                Pair::of(|which| keys(&values[which], |text| by(conversations[which], text)));
            keys.good != keys.bad
        };
        let differ = match of {
            // By the same name, or each by its server's.
            Trait::Share => {
                differ(&|_, text| text.to_lowercase()) && differ(&Conversation::share_key)
            }
            _ => differ(&|_, text| text.to_lowercase()),
        };
        (told && differ).then_some(Difference { of, values })
    };
    traits.into_iter().filter_map(difference).collect()
}

/// With what the steps show.
fn whole(of: &Conversation) -> Traits {
    let mut traits = of.traits.clone();
    let mut shares = Vec::new();
    for exchange in of.steps.iter().filter_map(|step| step.call()) {
        if let Some(share) = exchange.share() {
            let key = of.share_key(share);
            if shares.len() < MAX_VALUES && !shares.contains(&key) {
                shares.push(key);
                traits.add(Trait::Share, Value::Text(share.trim_end_matches('\\').into()));
            }
        }
        if let Some((opnum, time_out)) = exchange.opnum.zip(exchange.time_out()) {
            traits.add(Trait::TimeOut(opnum), Value::Milliseconds(time_out));
        }
        if let Some(Response::IsPathSupported(answer)) = &exchange.answered
            && let Some(owner) = answer.owner_machine_name.as_deref().filter(|of| !of.is_empty())
        {
            traits.add(Trait::Owner, Value::Text(name(owner)));
        }
    }
    traits
}

/// What values are compared by: text by what `by` makes of it.
fn keys(values: &[Value], by: impl Fn(&str) -> String) -> Vec<String> {
    let key = |value: &Value| match value {
        Value::Text(text) => by(text),
        other => format!("{other:?}"),
    };
    let mut keys: Vec<String> = values.iter().map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
