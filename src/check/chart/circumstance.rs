//! [`Circumstance`]: what is known around a symptom, a word for each.

/// Makes the enumeration, its words and their meaning from one list.
macro_rules! circumstances {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+) => {
        /// What may be known around a symptom.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Circumstance {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Circumstance {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its word in `causes.toml`.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }

            fn bit(self) -> u128 {
                let place = Self::ALL.iter().position(|of| *of == self).unwrap_or_default();
                1 << place
            }
        }
    };
}

circumstances! {
    // The server.
    /// The server is held against the profile of Samba.
    Samba = "samba",
    /// It is held against a profile of Windows.
    Windows = "windows",
    // Who asks.
    /// The account is that of a computer: its name ends with `$`.
    ComputerAccount = "computer-account",
    /// Nobody in particular is logged on: anonymous, or a guest.
    Anonymous = "anonymous",
    /// The call is neither signed nor sealed by RPC, or not authenticated.
    WeakAuth = "weak-auth",
    /// The SMB dialect is older than 3.0.
    OldDialect = "old-dialect",
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
    /// The mapping was deleted later.
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
    /// It opens the pipe after all.
    PipeOpensLater = "pipe-opens-later",
    /// The pipe, or its connection, was ended by the server.
    ServerClosed = "server-closed",
    /// It was ended by the client.
    ClientClosed = "client-closed",
    /// The client gave the set up by `AbortShadowCopySet`.
    Aborted = "aborted",
    /// Another server refused the client something in the ten minutes before.
    FailedElsewhere = "failed-elsewhere",
    /// The capture ends so soon after that the client may go on.
    CaptureEnds = "capture-ends",
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
