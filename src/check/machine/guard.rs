//! [`Guard`]: what has to be true for a row beside the state.

/// The words of `when`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guard {
    /// `nil id`: the set's or copy's GUID is nil.
    NilId,
    /// `nil client set`: `ClientShadowCopySetId` is nil.
    NilClientSet,
    /// `legal context`: one of the twelve of 2.2.2.2.
    LegalContext,
    /// `illegal context`
    IllegalContext,
    /// `zero context`
    ZeroContext,
    /// `other level`: `Level` is not 1.
    OtherLevel,
    /// `owner`: the caller has the address of the owner of the context.
    Owner,
    /// `other client`: it has not.
    OtherClient,
    /// `within the limit`: the owner has called `SetContext` no oftener than it may.
    WithinLimit,
    /// `beyond the limit`
    BeyondLimit,
    /// `recent abort`: a set that was Added or further has been aborted in the last 30 minutes.
    RecentAbort,
    /// `old abort`: such a set was aborted, and longer ago.
    OldAbort,
    /// `share in set`: the share was added to the set before.
    ShareInSet,
    /// `no share in set`: nothing was added to the set before.
    NoShareInSet,
    /// `prepared`: the set was prepared.
    Prepared,
    /// `exposed`: the unfinished set is Exposed.
    ExposedSet,
    /// `copy unknown`: the set has no such copy.
    CopyUnknown,
    /// `share unmapped`: the copy has no mapping of this share.
    ShareUnmapped,
    /// `unmapped`: the set has no such copy, or the copy no such mapping.
    Unmapped,
    /// `mapped`: set, copy and share are spelled as they were added, and the mapping is there.
    Mapped,
    /// `deleted`: the mapping was there and has been deleted.
    Deleted,
    /// `last mapping`: the set has no other mapping.
    LastMapping,
}

impl Guard {
    /// All of them, with their words.
    pub(super) const WORDS: [(&'static str, Self); 22] = [
        ("nil id", Self::NilId),
        ("nil client set", Self::NilClientSet),
        ("legal context", Self::LegalContext),
        ("illegal context", Self::IllegalContext),
        ("zero context", Self::ZeroContext),
        ("other level", Self::OtherLevel),
        ("owner", Self::Owner),
        ("other client", Self::OtherClient),
        ("within the limit", Self::WithinLimit),
        ("beyond the limit", Self::BeyondLimit),
        ("recent abort", Self::RecentAbort),
        ("old abort", Self::OldAbort),
        ("share in set", Self::ShareInSet),
        ("no share in set", Self::NoShareInSet),
        ("prepared", Self::Prepared),
        ("exposed", Self::ExposedSet),
        ("copy unknown", Self::CopyUnknown),
        ("share unmapped", Self::ShareUnmapped),
        ("unmapped", Self::Unmapped),
        ("mapped", Self::Mapped),
        ("deleted", Self::Deleted),
        ("last mapping", Self::LastMapping),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, guard)| *guard == self).map_or("", |(word, _)| word)
    }
}
