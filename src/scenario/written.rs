//! [`Written`]: the calls of a scenario as they were written, to hold against what is read back.

use std::sync::Arc;

use super::Scenario;
use super::settings::Auth;
use super::steps::{Answer, Call, Step, Stub};
use crate::bytes::Guid;
use crate::dcom;
use crate::ndr::{Arguments, Decoded};
use crate::protocol::Interface;

/// A call of a scenario.
#[derive(Clone, Debug)]
pub struct Written {
    /// Name of the client.
    pub client: String,
    /// Number of the client, in the order of their first statements.
    pub client_number: usize,
    /// Number of the server.
    pub server_number: usize,
    /// Interface.
    pub interface: Arc<Interface>,
    /// Number of the operation.
    pub opnum: u16,
    /// The object UUID of the request: of an object call, the IPID.
    pub object: Option<Guid>,
    /// Arguments; `None` where the stub was given as octets.
    pub request: Option<Arguments>,
    /// What was answered; `None` where nothing was, or the pipe failed.
    pub answer: Option<Answered>,
    /// Whether the stubs are sealed.
    pub sealed: bool,
    /// Whether frames of it are not in the capture.
    pub lossy: bool,
}

/// How a call was answered.
#[derive(Clone, Debug)]
pub enum Answered {
    /// With results and a status.
    Results(Arguments),
    /// With octets.
    Octets,
    /// With a fault status.
    Fault(u32),
}

impl Scenario {
    /// The calls in the order of their requests.
    pub fn calls(&self) -> Vec<Written> {
        let mut calls: Vec<Written> = Vec::new();
        let mut pending: Vec<(usize, &Call)> = Vec::new();
        for step in &self.steps {
            match step {
                Step::Call(call) => {
                    if call.answer.is_none() {
                        pending.push((calls.len(), call));
                    }
                    calls.push(self.written(call));
                }
                Step::Answer(answer) => {
                    let same = |(_, call): &(usize, &Call)| {
                        call.opnum == answer.opnum
                            && call.interface.uuid == answer.interface.uuid
                            && call.line.client == answer.line.client
                            && call.line.server == answer.line.server
                    };
                    let at = pending.iter().position(same).map(|at| pending.remove(at).0);
                    if let Some(call) = at.and_then(|at| calls.get_mut(at)) {
                        call.answer = answered(answer);
                        call.lossy |= !answer.lost.is_empty();
                    }
                }
                _ => {}
            }
        }
        calls
    }

    fn written(&self, call: &Call) -> Written {
        let client = self.clients.get(call.line.client);
        let privacy = call.settings.auth.is_some_and(|auth| auth.level == Auth::PRIVACY);
        Written {
            client: client.map(|client| client.name.clone()).unwrap_or_default(),
            client_number: call.line.client,
            server_number: call.line.server,
            interface: call.interface.clone(),
            opnum: call.opnum,
            object: call.object(),
            request: match &call.request {
                Stub::Arguments(arguments) => Some(opened(call, arguments)),
                Stub::Octets(_) => None,
            },
            answer: answered(call),
            sealed: call.sealed || privacy,
            lossy: !call.lost.is_empty(),
        }
    }
}

/// Arguments, with what is in the octets of references to objects.
fn opened(call: &Call, arguments: &Arguments) -> Arguments {
    let params = arguments.params.clone();
    let mut decoded = Decoded { params, ..Decoded::default() };
    dcom::open(&mut decoded, &call.interface.types);
    Arguments { params: decoded.params, ret: arguments.ret.clone() }
}

fn answered(call: &Call) -> Option<Answered> {
    Some(match call.answer.as_ref()? {
        Answer::Response(Stub::Arguments(arguments)) => Answered::Results(opened(call, arguments)),
        Answer::Response(Stub::Octets(_)) => Answered::Octets,
        Answer::Fault(status) => Answered::Fault(*status),
        Answer::Pipe(_) => return None,
    })
}
