//! Whom the client talks to: the host of the share first, then `OwnerMachineName` (3.2.4.1, 3.2.4.2.1).

use super::super::Case;
use super::memory::Memory;
use super::people::Path;
use crate::bytes::Side;
use crate::call::Transport;
use crate::check::act::{host_of, share_key};
pub(super) use crate::check::act::{is_address, label};
use crate::check::bench::{Bench, Topic};
use crate::check::finding::{Certainty, Finding};

pub(super) fn asked(memory: &mut Memory, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let act = case.act;
    let first = memory.pipes.get(&act.channel).is_none_or(|pipe| pipe.calls == 0);
    if first {
        let kept = matches!(case.call.transport, Transport::NamedPipe(_));
        let what = || "the client asks over TCP, without a named pipe".to_owned();
        bench.expect(kept, Topic::Transport, "FSRVP-3.2.4.1-02", case.place, what, |_| {});
    }
    match act.opnum {
        8 => host_of_share(memory, case, bench),
        1..=3 => owner(memory, case, bench),
        _ => {}
    }
}

/// The server, as the client of this call has called it.
fn called(memory: &Memory, case: &Case<'_, '_>) -> Option<String> {
    memory.pipes.get(&case.act.channel)?.host.clone()
}

/// Whether the call goes to another host than this; none if that cannot be told.
fn is_elsewhere(memory: &Memory, case: &Case<'_, '_>, host: &str) -> Option<bool> {
    let called = called(memory, case)?;
    if host.is_empty() || is_address(host) || is_address(&called) {
        return None;
    }
    let wanted = label(host).to_lowercase();
    Some(wanted != label(&called) && !memory.names.contains(&wanted))
}

/// `IsPathSupported` goes to the host of the share.
fn host_of_share(memory: &Memory, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    const RULE: &str = "FSRVP-3.2.4.1-01";
    let Some(share) = case.act.share() else { return };
    let Some(host) = host_of(share) else { return };
    let Some(elsewhere) = is_elsewhere(memory, case, &host) else {
        return bench.unseen(
            RULE,
            "the host is called by an address, or the name of the tree was not seen",
        );
    };
    let called = called(memory, case).unwrap_or_default();
    let what = || format!("IsPathSupported asks {called} for {share}, a share of another host");
    bench.expect(!elsewhere, Topic::Value("ShareName"), RULE, case.place, what, |finding| {
        finding.certainty = finding.certainty.min(Certainty::Likely);
        finding.with_octets(case.call, Side::Client, "ShareName", "another host");
    });
}

/// The rest goes to `OwnerMachineName`.
fn owner(memory: &mut Memory, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    const CONNECTS: &str = "FSRVP-3.2.4.2.1-05";
    const THROUGH: &str = "FSRVP-3.1.4.9-06";
    let act = case.act;
    let Some(client) = memory.client(act.client) else { return };
    let share = act.share().map(share_key);
    let told =
        |path: &&Path| path.said == Ok(true) && share.as_ref().is_none_or(|key| path.key == *key);
    // Each once: a client asks again and again, and is told the same.
    let mut owners: Vec<(&str, u64)> = Vec::new();
    for path in client.paths.iter().rev().filter(told) {
        if let Some(owner) = path.owner.as_deref()
            && owners.iter().all(|(known, _)| *known != owner)
        {
            owners.push((owner, path.call));
        }
    }
    let Some((owner, call)) = owners.first().map(|(owner, call)| ((*owner).to_owned(), *call))
    else {
        return;
    };
    let rule = if act.opnum == 1 { CONNECTS } else { THROUGH };
    let mut elsewhere = Some(true);
    for (owner, _) in owners.iter().rev() {
        match is_elsewhere(memory, case, owner) {
            Some(true) => {}
            other => elsewhere = other,
        }
    }
    let Some(elsewhere) = elsewhere else {
        return bench
            .unseen(rule, "a host is called by an address, or the name of the tree was not seen");
    };
    let called = called(memory, case).unwrap_or_default();
    if !elsewhere {
        return bench.pass(rule);
    }
    let Some(pipe) = memory.pipes.get_mut(&act.channel) else { return };
    let told = std::mem::replace(&mut pipe.told_owner, act.opnum != 1);
    if told {
        return;
    }
    let message = format!(
        "{} goes to {called}, although the owner of the share is {owner}",
        super::subject(case)
    );
    let refine = |finding: &mut Finding| {
        finding.certainty = finding.certainty.min(Certainty::Likely);
        if rule == THROUGH && act.opnum == 2 {
            finding.with_rules([CONNECTS]);
        }
        finding.with_call(call, "IsPathSupported told OwnerMachineName");
    };
    bench.fail(Topic::Value("OwnerMachineName"), rule, case.place, message, refine);
}
