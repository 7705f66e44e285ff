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
    /// The share is that of a shadow copy.
    CopyShare = "copy-share",
    // What the client did before, and does after.
    /// The client opens the pipe after all.
    PipeOpensLater = "pipe-opens-later",
    /// The pipe, or its connection, was ended by the server while something was asked.
    ServerClosed = "server-closed",
    /// The pipe, or its connection, was ended by the client.
    ClientClosed = "client-closed",
    /// The client gave the set up by `AbortShadowCopySet`.
    Aborted = "aborted",
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
