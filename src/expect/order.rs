//! [`Order`]: an order of calls that is expected.

use super::Result;
use super::calls::Shown;
use super::clients::Clients;
use super::end::End;
use super::which::is_host;
use crate::call::Call;
use crate::protocol::fsrvp;

/// Methods of an order.
pub(super) const MAX_METHODS: usize = 64;
/// Calls that are expected in an order, and how far each client came.
#[derive(Debug)]
pub(super) struct Order {
    opnums: Vec<u16>,
    strict: bool,
    server: Option<String>,
    client: Option<String>,
    clients: Clients,
    /// How far each of them came. Added with the first call, as many as there are clients.
    reached: Vec<Progress>,
    /// Why it is not known of some calls whether they are of the server or the client.
    doubt: bool,
}

/// How far a client came.
#[derive(Debug, Default)]
struct Progress {
    /// Bit `n` says that the first `n + 1` were there: strictly, at the end of what was asked so far.
    reached: u64,
    /// The most that was reached at once.
    most: usize,
    /// The call that did.
    at: Shown,
}

impl Order {
    pub(super) fn new(
        opnums: Vec<u16>,
        strict: bool,
        server: Option<String>,
        client: Option<String>,
    ) -> Self {
        Self {
            opnums,
            strict,
            server,
            client,
            clients: Clients::default(),
            reached: Vec::new(),
            doubt: false,
        }
    }

    /// Takes a request, in the order in which they were asked.
    pub(super) fn asked(&mut self, call: &Call) {
        let ours = call.rpc.interface.is_some_and(|syntax| syntax.uuid == fsrvp::UUID);
        let Some(opnum) = call.rpc.opnum.filter(|_| ours) else { return };
        let hosts = [(&self.server, &call.server), (&self.client, &call.client)];
        for (typed, party) in hosts {
            match typed.as_deref().map(|typed| is_host(party, typed)) {
                None | Some(Some(true)) => {}
                Some(Some(false)) => return,
                Some(None) => {
                    self.doubt = true;
                    return;
                }
            }
        }
        let Some(at) = self.clients.who(call) else { return };
        if at >= self.reached.len() {
            self.reached.resize_with(at + 1, Progress::default);
        }
        let Some(progress) = self.reached.get_mut(at) else { return };
        let fits = self.opnums.iter().enumerate().filter(|(_, of)| **of == opnum);
        let fits: u64 = fits.map(|(n, _)| 1 << n).sum();
        let next = (progress.reached << 1 | 1) & fits;
        progress.reached = if self.strict { next } else { progress.reached | next };
        let reached = usize::try_from(u64::BITS - progress.reached.leading_zeros());
        let reached = reached.unwrap_or_default();
        if reached > progress.most {
            progress.most = reached;
            progress.at = Shown::default();
            progress.at.add(call, "was the last in this order");
        }
    }

    /// What came of it.
    pub(super) fn result(&self, end: &End<'_>) -> Result {
        let missed = end.unseen.why(true, self.server.as_deref());
        let whole = self.opnums.len();
        let (said, shown) = self.said();
        let is_whole = self.reached.iter().any(|progress| progress.most == whole);
        let doubt = missed.or_else(|| {
            let names = "the capture does not tell all names (addresses would do)";
            self.clients.doubt().or_else(|| self.doubt.then(|| names.to_owned()))
        });
        match (is_whole, doubt) {
            // What is missing may have been between them.
            (true, Some(doubt)) if self.strict => {
                Result::unchecked("no other call is expected between them", doubt)
            }
            (true, _) => Result::met(),
            (false, Some(doubt)) => Result::unchecked(said, doubt),
            (false, None) => Result::broken("methods", said, shown),
        }
    }

    /// How far the one came who came farthest.
    fn said(&self) -> (String, Shown) {
        let best = self.reached.iter().max_by_key(|progress| progress.most);
        let Some(best) = best.filter(|best| best.most > 0) else {
            return (format!("nobody called {}", self.method(0)), Shown::default());
        };
        let call = best.at.first.as_ref().map_or(0, |call| call.n);
        let last = self.method(best.most.saturating_sub(1));
        let next = self.method(best.most);
        let way = if self.strict { "is not followed by" } else { "is never followed by" };
        (format!("{last} (call {call}) {way} {next}"), best.at.clone())
    }

    fn method(&self, n: usize) -> &'static str {
        let opnum = self.opnums.get(n).copied();
        let name = fsrvp::OPERATIONS.iter().find(|(of, _)| Some(*of) == opnum);
        name.map_or("", |(_, name)| *name)
    }
}
