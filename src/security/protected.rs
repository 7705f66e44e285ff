//! What a security context protects, and what became of it: [`Protected`], [`Opened`], [`Need`].

use std::fmt;

/// A PDU under the protection of a context: \[MS-RPCE\] 3.3.1.5.2.
///
/// ```text
///  ┌──────┬──────────────────┬─────────────┬───────────┐
///  │ head │ body (and pad)   │ sec_trailer │ signature │
///  └──────┴──────────────────┴─────────────┴───────────┘
///          └─ is sealed at privacy
///  └─────── is signed with header signing ─┘             else the body alone
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Protected<'a> {
    /// Whether the body is encrypted, as opposed to signed.
    pub sealed: bool,
    /// Whether head and trailer are under the signature: \[MS-RPCE\] 2.2.2.3
    /// `PFC_SUPPORT_HEADER_SIGN`, agreed upon by both sides.
    pub header_signed: bool,
    /// Everything before the stub.
    pub head: &'a [u8],
    /// The stub with its padding.
    pub body: &'a [u8],
    /// The eight octets before the signature.
    pub trailer: &'a [u8],
    /// The signature: `auth_value`.
    pub signature: &'a [u8],
}

/// Whether the signature of a message is that of its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It is.
    Verified,
    /// Nobody can tell.
    NotVerifiable,
    /// It is not, though the key is surely the right one.
    BadSignature,
}

impl Verdict {
    /// How it is called in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::BadSignature => "wrong",
            Self::NotVerifiable => "not verifiable",
        }
    }

    /// How it is called in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::BadSignature => "bad_signature",
            Self::NotVerifiable => "not_verifiable",
        }
    }
}

/// What became of a [`Protected`] PDU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Whether its signature is right.
    pub verdict: Verdict,
    /// The body in clear, if it was sealed and its signature is right: nothing else is ever shown.
    pub body: Option<Vec<u8>>,
    /// Why not, unless it is verified.
    pub why: Option<Need>,
}

impl Opened {
    /// What nobody can open, for this reason.
    pub fn closed(why: Need) -> Self {
        Self { verdict: Verdict::NotVerifiable, body: None, why: Some(why) }
    }

    /// A signature that is right; of what was sealed, with the body in clear.
    pub fn verified(body: Option<Vec<u8>>) -> Self {
        Self { verdict: Verdict::Verified, body, why: None }
    }

    /// A signature that is wrong.
    pub fn bad(why: Need) -> Self {
        Self { verdict: Verdict::BadSignature, body: None, why: Some(why) }
    }
}

/// What it would take to open something, and what was tried.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Need {
    /// Whose secret it takes: `DOMAIN\user`, where that is told.
    pub user: Option<String>,
    /// Which service's, such as `cifs/fsm1.fslab.test@FSLAB.TEST`.
    pub service: Option<String>,
    /// Name of the encryption type.
    pub etype: Option<String>,
    /// Key version.
    pub kvno: Option<u32>,
    /// What is needed or what is in the way, as half a sentence: `the password of LAB\backupop`.
    pub needs: String,
    /// What was tried and what came of it, as half sentences; empty if there was nothing to try.
    pub tried: Vec<String>,
}

impl Need {
    /// That something is in the way which no key removes.
    pub fn of(needs: impl Into<String>) -> Self {
        Self { needs: needs.into(), ..Self::default() }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.needs)?;
        for (at, tried) in self.tried.iter().enumerate() {
            f.write_str(if at == 0 { "; " } else { ", " })?;
            f.write_str(tried)?;
        }
        Ok(())
    }
}
