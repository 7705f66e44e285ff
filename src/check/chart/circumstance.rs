//! [`Circumstance`]: what is known around a symptom, a word for each.

worded! {
    /// What may be known around a symptom.
    enum Circumstance;
    // The server.
    /// The server is held against the profile of Samba.
    Samba = "samba",
    /// The server is held against a profile of Windows.
    Windows = "windows",
    // Who asks.
    /// The account is that of a computer: its name ends with `$`.
    ComputerAccount = "computer-account",
    /// Nobody in particular is logged on: anonymous, or somebody the server takes for a guest.
    Anonymous = "anonymous",
    /// The call is neither signed nor sealed by RPC, or not authenticated.
    WeakAuth = "weak-auth",
    /// The SMB dialect is older than 3.0.
    OldDialect = "old-dialect",
    // How it came there.
    /// This server has named another one as the owner of the share that the client asked for.
    Redirected = "redirected",
    /// The capture has what the client says to other servers after it was sent to another one.
    OthersSeen = "others-seen",
    /// A connect was answered with RST.
    Reset = "reset",
    /// ICMP said that a connect was not delivered.
    Icmp = "icmp",
    /// The client has asked for the pipe several times, and never got it.
    PipeAskedAgain = "pipe-asked-again",
    /// The bind asked for another version of the interface than 1.0.
    OtherVersion = "other-version",
    /// Nothing was answered on the pipe: its bind was not, either.
    Unbound = "unbound",
    // Whose turn it is.
    /// Another client has a shadow copy set, or a context, under way.
    HeldByOther = "held-by-other",
    /// This client itself has one under way that it has not ended.
    HeldByItself = "held-by-itself",
    /// Who has it under way has ended its connection, or does nothing for it any more.
    HolderLeft = "holder-left",
    /// Who has it under way is the same machine, by its `ClientGuid` or by name and account.
    SameMachine = "same-machine",
    /// The client calls `SetContext` again and again.
    Hammering = "hammering",
    /// A set with shares in it was aborted less than 30 minutes before.
    RecentAbort = "recent-abort",
    // The order of things.
    /// The client has called no `SetContext`.
    NoContext = "no-context",
    /// Its context was ended by an abort, or by the end of a set.
    ContextEnded = "context-ended",
    /// The set was aborted before.
    AbortedBefore = "aborted-before",
    /// The client has begun anew, by one more `SetContext`.
    BegunAnew = "begun-anew",
    /// The last copy of the set was deleted before.
    DeletedBefore = "deleted-before",
    /// The operation has its place later or earlier on the way of a set.
    OutOfOrder = "out-of-order",
    /// It is `GetShareMapping` of a set that is not exposed.
    BeforeExpose = "before-expose",
    /// The set is finished: `RecoveryComplete` was done.
    Finished = "finished",
    /// Commit without Prepare.
    Unprepared = "unprepared",
    /// The abort of a set that was committed, or further.
    AbortedLate = "aborted-late",
    // Time.
    /// More time has passed than the specification gives the server's timer.
    TimerRanOut = "timer-ran-out",
    /// Less time has passed, and nothing else is known to have ended what was begun.
    BeforeTimer = "before-timer",
    /// The server was started again since.
    Restarted = "restarted",
    /// The client has waited for an answer as long as it may, and given up.
    WaitedOut = "waited-out",
    /// Commit took longer than the 60 seconds that the specification gives it.
    SlowCommit = "slow-commit",
    // Where it was left.
    /// The set is gone, for all that is known.
    Over = "over",
    /// The set was exposed, and not finished.
    Opened = "opened",
    /// The client was refused something after it had started the set.
    RefusedSince = "refused-since",
    /// Another client has aborted the set.
    AbortedByOther = "aborted-by-other",
    /// The client did not wait ten seconds for an answer.
    Hasty = "hasty",
    /// The client says nothing any more, although the capture goes on.
    Silent = "silent",
    /// The server later answers as it does when there is such a set.
    ThereLater = "there-later",
    /// Packets are missing among which the answer may be.
    NearLoss = "near-loss",
    // What is asked for.
    /// The share is named as no share is: not `\\host\share`.
    NoShareName = "no-share-name",
    /// The share is named on a host that is none of the names that the server gives itself.
    OtherName = "other-name",
    /// The client names one host with its domain and without.
    MixedNames = "mixed-names",
    /// The server has shown before that it has the share.
    KnownShare = "known-share",
    /// The share was added to the set before, by the same name.
    ShareInSet = "share-in-set",
    /// Another share is in the set.
    OtherShareInSet = "other-share-in-set",
    /// No share was added to the set.
    EmptySet = "empty-set",
    /// No set with this id was started here, and another one is under way that the client has started.
    StrangeSet = "strange-set",
    /// The id is the one that the client gave its set; the server gave it another.
    ClientsId = "clients-id",
    /// It was asked over another pipe than that on which the set, or the context, was last found.
    OtherPipe = "other-pipe",
    /// No copy with this id was added to the set, or the set is a strange one.
    StrangeCopy = "strange-copy",
    /// The context is none of those of \[MS-FSRVP\] 2.2.2.2.
    IllegalContext = "illegal-context",
    /// The context has `ATTR_NO_AUTO_RECOVERY`.
    NoAutoRecovery = "no-auto-recovery",
    // What is answered.
    /// The status is none of FSRVP's own: the server passes on what its snapshot service said.
    PassedOn = "passed-on",
    /// It succeeded, and says that the share is not supported.
    SaysNo = "says-no",
    /// The server has done something for the same account before, beyond telling its version.
    ServedBefore = "served-before",
    // The share of a shadow copy.
    /// A share that was not connected is that of a shadow copy.
    ShadowShare = "shadow-share",
    /// The server has told another name for it.
    OtherExposedName = "other-exposed-name",
    /// The mapping was deleted before.
    Deleted = "deleted",
    /// The mapping was deleted later; those of all shares, where it is about a set.
    DeletedLater = "deleted-later",
    /// The set is recovered.
    Recovered = "recovered",
    /// The set was started under a context without `ATTR_AUTO_RECOVERY`.
    ReadOnlyContext = "read-only-context",
    /// Copies of the share are left from one set to the next.
    LeftBehind = "left-behind",
    // What the server does.
    /// It connects to the host that the share is named on.
    ConnectsOut = "connects-out",
    // What the client did before, and does after.
    /// The client opens the pipe after all.
    PipeOpensLater = "pipe-opens-later",
    /// The pipe, or its connection, was ended by the server while something was asked.
    ServerClosed = "server-closed",
    /// The pipe, or its connection, was ended by the client.
    ClientClosed = "client-closed",
    /// The client gave the set up by `AbortShadowCopySet`.
    Aborted = "aborted",
    /// Another server refused the client something in the ten minutes before.
    FailedElsewhere = "failed-elsewhere",
    /// The capture ends so soon after that the client may go on.
    CaptureEnds = "capture-ends",
}

impl Circumstance {
    fn bit(self) -> u128 {
        let place = Self::ALL.iter().position(|of| *of == self).unwrap_or_default();
        1 << place
    }
}

/// Some of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Circumstances(u128);

impl Circumstances {
    /// Adds one, if it is true.
    pub(in crate::check) fn set(&mut self, of: Circumstance, is: bool) {
        if is {
            self.0 |= of.bit();
        }
    }

    /// Whether it is among them.
    pub fn has(self, of: Circumstance) -> bool {
        self.0 & of.bit() != 0
    }

    /// Those that are among them.
    pub fn iter(self) -> impl Iterator<Item = Circumstance> {
        Circumstance::ALL.iter().copied().filter(move |of| self.has(*of))
    }

    /// Whether all of the others are among them.
    pub(in crate::check) fn has_all(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether any of the others is among them.
    pub(in crate::check) fn has_any(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// These and the others.
    pub(in crate::check) fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

impl FromIterator<Circumstance> for Circumstances {
    fn from_iter<I: IntoIterator<Item = Circumstance>>(all: I) -> Self {
        let mut set = Self::default();
        all.into_iter().for_each(|of| set.set(of, true));
        set
    }
}
