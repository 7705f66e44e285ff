//! [`Abroad`]: where a server goes when it is asked about the shares of other hosts.
//!
//! A server that is asked about `\\host\share` may connect to that host, and log on there, as the
//! computer that it is: whoever asks can send it where he likes.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::ledger::is_same_host;
use super::symptom::Symptom;
use super::trouble::SymptomNo;
use crate::bytes::Time;

/// Questions and hosts of one server that are remembered; the oldest are removed.
const MAX_KEPT: usize = 64;
/// Nanoseconds after a question in which a journey belongs to it.
const SOON: i64 = 60_000_000_000;

/// What a question has come to, but for the journey.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// It is a failure that is known.
    Failed(SymptomNo),
    /// It is none; this is what the journey makes of it.
    Answered(Box<Symptom>),
}

/// A question about a share.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) asked: Time,
    pub(super) host: String,
    pub(super) outcome: Outcome,
}

/// The last that was heard of the server as a client of another host.
#[derive(Clone, Debug)]
struct Journey {
    time: Time,
    to: IpAddr,
    name: Option<String>,
}

impl Journey {
    fn answers(&self, question: &Question) -> bool {
        let after = self.time.since(question.asked);
        let named = self.name.as_deref().is_some_and(|name| is_same_host(name, &question.host));
        (0..=SOON).contains(&after) && (named || question.host.parse() == Ok(self.to))
    }
}

/// The questions to one server, and its journeys.
#[derive(Debug, Default)]
pub(super) struct Abroad {
    questions: VecDeque<Question>,
    /// One for each host.
    journeys: VecDeque<Journey>,
}

impl Abroad {
    /// The server was asked about a share of another host; the question, if it has gone there since.
    pub(super) fn asked(&mut self, question: Question) -> Option<Question> {
        if self.journeys.iter().any(|journey| journey.answers(&question)) {
            return Some(question);
        }
        self.questions.truncate(MAX_KEPT - 1);
        self.questions.push_front(question);
        None
    }

    /// The server is heard as a client of another host: the questions that it goes there for.
    pub(super) fn goes(&mut self, time: Time, to: IpAddr, name: Option<&str>) -> Vec<Question> {
        let journey = Journey { time, to, name: name.map(str::to_owned) };
        let questions = std::mem::take(&mut self.questions);
        let (answered, open): (Vec<_>, Vec<_>) =
            questions.into_iter().partition(|question| journey.answers(question));
        self.questions = open.into();
        self.journeys.retain(|other| other.to != to);
        self.journeys.truncate(MAX_KEPT - 1);
        self.journeys.push_front(journey);
        answered
    }
}
